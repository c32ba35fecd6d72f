from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "users" (
    "id" UUID NOT NULL PRIMARY KEY,
    "email" VARCHAR(254) NOT NULL UNIQUE,
    "name" VARCHAR(200) NOT NULL,
    "password_hash" VARCHAR(200),
    "created_at" TIMESTAMPTZ NOT NULL,
    "disabled_at" TIMESTAMPTZ
);
COMMENT ON TABLE "users" IS 'A person. `email` is kept in lower case; without a password one signs in elsewhere.';
        CREATE TABLE IF NOT EXISTS "audit_events" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "tenant" VARCHAR(40) NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    "subject" VARCHAR(100) NOT NULL,
    "client" VARCHAR(100) NOT NULL,
    "address" VARCHAR(64) NOT NULL,
    "action" VARCHAR(60) NOT NULL,
    "target" VARCHAR(200) NOT NULL,
    "detail" JSONB NOT NULL,
    "request_id" VARCHAR(64) NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_audit_event_tenant_d3e354" ON "audit_events" ("tenant", "id");
COMMENT ON TABLE "audit_events" IS 'One change. Names, not keys: it is to be read when what it tells of is gone.';
        CREATE TABLE IF NOT EXISTS "sessions" (
    "id_sha256" VARCHAR(64) NOT NULL PRIMARY KEY,
    "address" VARCHAR(64) NOT NULL,
    "agent" VARCHAR(200) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "seen_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "sessions" IS 'A browser that is signed in, found by the digest of its cookie.';
        CREATE TABLE IF NOT EXISTS "invitations" (
    "id" UUID NOT NULL PRIMARY KEY,
    "email" VARCHAR(254) NOT NULL,
    "role" VARCHAR(16) NOT NULL,
    "secret_sha256" VARCHAR(64) NOT NULL UNIQUE,
    "invited_by" VARCHAR(100) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "accepted_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
COMMENT ON COLUMN "invitations"."role" IS 'OWNER: owner\nADMIN: admin\nDEVELOPER: developer\nVIEWER: viewer';
COMMENT ON TABLE "invitations" IS 'An address that may join; whoever has the link, whose secret is kept as a digest, is it.';
        CREATE TABLE IF NOT EXISTS "members" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "role" VARCHAR(16) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_members_tenant__c37af0" UNIQUE ("tenant_id", "user_id")
);
COMMENT ON COLUMN "members"."role" IS 'OWNER: owner\nADMIN: admin\nDEVELOPER: developer\nVIEWER: viewer';
COMMENT ON TABLE "members" IS 'A person in a tenant.';"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS "audit_events";
        DROP TABLE IF EXISTS "invitations";
        DROP TABLE IF EXISTS "members";
        DROP TABLE IF EXISTS "sessions";
        DROP TABLE IF EXISTS "users";"""


MODELS_STATE = (
    "eJztXWtz2zYW/SsYferOaD2JX8k6Ozsj20qrXcfO2ErSNOnQEAlJqChAJUAr2m7++wIgxT"
    "cpUg+LYvCljQFckjoAgXPvPQD/ak3cAWLIeUJHD4gxTEnrAvzVInCKxD8yatugBWezWJ0s"
    "43BgKwvmtWOq4YBxB5pclA+hzZAoshAzHTzj3o1aHTBw6FxcBfAx5AAzwPCIIAtg0gZD6h"
    "ILDBaiDgELjxDjgA4B5gyYlE4wOpI3sagp7oLJaEvXcwn+00UGpyMk2jniql9+F8WYWOgb"
    "Yss/ZxNjiJFtxdDClsHG8PjsXF5HVRt8MVNVV2PovFUG8pEHhkltd0pSRrMFH1MSWIkfJk"
    "tHiCAHcmRFgCSubfuYL4u8JxcF3HFR8MhWWGChIXRt2R3S2nuQsKxlGLd3feOh2zeMVqqr"
    "lhYRtP0iU/S26GZMOFNoTOE3w0ZkxMfiz/PT7959Qji8VvKGHzv3V7907n86P/2bvCEVY8"
    "UbRLd+zbGq+q4uATn0LqL6IAQdWpYjxlwVyCMm2wF8WRAiHo73g4U8ArHAg1cCeGnQQHiP"
    "X7woga9olQuwqosjbDpI4mHADJivRQ3HU5QNddwygbflmx4t/3GI6IsfaN0Re+HPYwXg93"
    "vvug/9zrv38nZTxv60FX6dflfWHKvSRaL0p/NEPwUXAZ96/V+A/BP8dnfbVfBSxkeOumPY"
    "rv9bSz4TdDk1CJ0bYnYJp9xl6RK1WK8zhMgaXR4xa2B/H0j/LjEp7GD0bYbF5dbo47il7u"
    "Zad7MrCKeBrXQff/jQu87u34hJonNdF1tH0rBZnapWxROvl6L4q1/6/bvk1MNJJsGTUKWh"
    "fUsdJKj9f9BCAdwTzwGJiTIADX2YD/6VDhPVsDRcXhw4D/yQ6JgSP99CNuIeT+s8XHWuuy"
    "0F8gCakzl0LCOGtqyhxzRRErRNV02Pp8kSSATts/xfIZ85AXy2X7nsk0KnUv6y0h7lTLSl"
    "5Ag8oinE9qN0AidoJpxBAmw6F66hCRl6A+ZYjBKXAwhmkLE5dSxACVL+IpNtkbj8XDiAmV"
    "7mTu6xkedZZfLZ/ryz2uNs/XPoElP2ElB3kv85/VerdhNRu8DVVJ1dxQ8KDBrn1x+flfEy"
    "Rat8L+gs5Weq/1eAd9lee5nlvMzlJGSMIRtXATpluBbi/mj9gQDXbn0++s116y3MJOjrdH"
    "vCdAv9XrOX7kC6OdftS/kpe+PUHdfCvPuElDuQxawjDVbxayibGki2LUmz7wSNNceQjNAR"
    "uBW3Zm1AKBckeMEuAFaZF07BAAH5mgPBcYn4j8zIcMCRbTOVeGFgJOhwml9v++KrifWXFk"
    "cEekgJdvx7JaJ9iUc9witQbezdKPrm+q9pfdnfSD7C3/9xfHxy8ur4xcn567PTV6/OXr94"
    "Ldqq501XvSp42S97P/du+/F3VxYUE/Cwk8oyl9CigSTxtAxlOc1nLKcpwlJ9xdIEpV4rV6"
    "m8gzv4A5mV3qOISQNfpJelyP/LAvL/MoP827hi2jS00BiXw1gn/3ef/FdBu0oIBxZNBLjM"
    "KD7PH8TnqTHMoSN4aSVSE1g0EOCdBGIsxDNDt/9+uLvN8cQDiyS3wSYH/wM2ZikSfwBYF0"
    "ArsYgRmCWiP73r/JoE++rm7jLJTOQFLhPAO0j8bMYzs6P5Azxu1cBBvp1puj7BiB55whzy"
    "fPlopEF7RTACB03LpvwI8Bd1T/U5hQvwB8XkDZiPKXpCDhhDpkSfNiaTtixlCDBkOogHmT"
    "vRAvqi0LYsxDwj77fDG+nk33PMcQec/KvV/LWT9J9D7Zz0X5e405TMI75i+LZ1xrp19+m2"
    "e38B6Fw8zVfSuX7Xu70QM8oUk6/kuvuxe3P3XtZbYiqx6Uy2+djrfpJFTxjNPZ1EZbfrvI"
    "zXlQxGRJyu82Q3efPZGkr3lGHjsuLb977UYogsY7CognTcqs7vRJ2CCTpbm49+c4OhWqO7"
    "DpGqUy+X0uhC0xTse623O2Gqk/J17mcHPdHJWt0ct9S9XOde9tK6FTX3MSOtui9W3eel2t"
    "fR3feDax0msiuV97GRVTPt/Ts0HeSq7/3K9oqQ3FQ1q6jAlwJ3CDxo8jX0qVYZgbCoOkft"
    "Bvl9k9CYluvIuueQ6+iAzkEEdLTfmw99c/1eTaG2lDLQ+0A1Iz1ERpocudtBVu+x3RPP94"
    "d0Ns8Px3shz/dGTZUtAC7jdIqcN4BKGm/a4m/kiH/JR2AzaOap+8vZ6aR4DabkIoa/3x2b"
    "Ncr8bV+Kr1l5PvTNYuX1kXFdeQL07DXkKlCnF64hVPy+seFJ2ctHjBw6cuA0lFVBNgFD6g"
    "BOJ4iwI9DjrEBIJVYRe5EZY9rWdbe8EhUdB9jI+XH35wDqwwN2K6Gum+ynVohvX/jDTCqv"
    "kcI5X7EeWmjF+gaKdc27fhTepWUDWjagY946SFvnIO3eXMEH0VviN4oOa+UcCB82aJdyCZ"
    "lnYMhjPMr6haItmEHsvFG7amYOfhKjQJQ4yl1DxHQWUpmnDtpTTaTBENtIHgEi/x7TKRIO"
    "n20hJ8s/3Pr1N/ATJ9UcxYn2FNf0FP1uToN9iQl0FtlwR4wSkA8W3KPdhzlLZco9fK4crO"
    "kC3cvebef+c8Csg4X95u7258sMbn35ud/tJA+gcwc2Nqs4NaGFdmo2cGrEaps14Aucdp49"
    "2JvgrGsFjfYZDz9W37ExZDnczKtbRcugbIVKczF5G8Bccywj5I8zh1quyl4+etH1GZVdDi"
    "BXRxw/IUd+BkjSJAimVDDbLPq1jUtm6kVVtaxV2GwkF9VJ42Yljfc9H+44bey/JWl8czXP"
    "EYvVwudDQNjTPh+/PH11+vrk/DSQPAclRUrnpao5oo2aWWsu7nFLvbjXZXHPiBX6Tx/2ul"
    "pBKkYKozY6UFgcKAxW6M3jhO+WlzpMXFeGCaPDqmZRQg/6nL1Fy24p3lokW1XioJY8XUcF"
    "4PyVi+VRy5yWK3YYacqoKWOt5oldU8boY6Uw7qNvObwxYfZ8ULf2MHb73V/7xVG5WEB02T"
    "wZqsvk6hkqj1VkPUvmsUO2/uJAqLqOw+VDfZhUXe9kqwNZ11n9hmT1P/qxnmzG/jGMBBVy"
    "9ugiVG6fkDuzKbSOwKOnAn0EkFjiD/xfZKj06SMg6vxM76sfXjbekQJszGS63VZfcF9+un"
    "3gYtvK3le0o/usiDG76hAFgX2k0Je7Jv2IL35mTTWOttHOxf6cC3d5CEZJEhYa6IBpBgtb"
    "QyKuteGVtOHBfJYGueh0k7hdk8busxx0UkpOsfpkkz1IK1reuoisihNz68P7mzvBWK4vwP"
    "IKX8nlh97Nde/25wtvgRS985XcdzvXny/U97gWX8nbTu9G2gwhtv177l2iATlH0xmv4mtH"
    "TbSvnXwHRF+zagGj0KIJnw997mARtJ6wmTHp5OMdWmi8q+MtfS5EKklyIyZNQHzXU7L4Mb"
    "aEzBggE7qs0tjOsm0C5s89ymc2JGvs6UyYNQH5XZN2D7I1mXuG8VqMpG6Y74W9O2hGnYxo"
    "Zr4KPbTYSIVeM/T3tbO22rcM4lYNjA/obxnoTFis3Sa7mIX/vdYe5tBO72Cujyox3cNalq"
    "hliTXJc9ZYltgllto70srOcwbV7RWJTuQ3rJDpXJocgUe/39V+lpFD58zbRiwTkAs/Aym1"
    "iXO51QWLSkjEGMnOa27lqlr3eHipSa173J3uMXyTKiQF4kY6LZB2rm0Es2J5uYhGLDScaT"
    "ifcFWNaMxGQ5qE1CMq67jGcUvtKNXZUdIBkPwXqrkBEC0F1lLgGrnIdZYCL53ge58ttIp9"
    "5aBZu6TPbMRoSJnNfRaa2XSBrOCkB+XYYs7UZr43AE+nrrpN1n6/asaZrjCKhAW0M6yd4V"
    "pNOYn09EmZ9PRJfnr6JOfciIpLZ9xKr50JUHOiyflDNjBo4JjVZ53U3zfeg+itdpDuWojs"
    "cDwUTGgN1VWGaQMh3770KsRtTflVzgWaNIU89w4K4StC7joZhK7gCwdRI30e6CbngU5sBB"
    "1i5K6gBXu10qYNlH+W4Srn+VzlPMVVEHnCDiVTlBU8yR/yCTMtP9Qf9tAR4SoR4SAcVc2x"
    "TZhpz7Y4KhwNnW0eF47qcw4T3ZWR4cT4qlls+N5PyWeHhO/DhH1hJNhP7Ff5nGwgX4Ik0D"
    "xdgPkYOUjFcsU1hkNsghFFTJ3tMKZzUQGYCW3ECkPEO7j+6iiyfzKEjiPXKo6sz3tobTNo"
    "BM1sDVVBIMPMEVA1IX6x/ZCRPytV8RsiJtpR3sRRFhO/fJ4K0EdMNPSb+GuUcHFz5Eg2Zb"
    "qOg4iZsXMsd9bOtdeSuOQMLt1W6nIjIyz61qYwB+CYVQLUoTTbFaznL452hWwBbNd3Hy5v"
    "uuD9ffeq99DzB3zg6qpKWSQKsMfj77udG70FstSSqbdA6niPjvfUzIfS8Z4fJd7Ts9B0Rr"
    "kkSPkf/Ew0aq+I/uCweYVPfsoojfzGJh2qbz55Asp2+P1NC4/kcZ2iWoZrHCQGgfhTRmpk"
    "LSRsjhwZsBlRnh0C2ubFV2yoE7faLPRTlJLOnKcy3iF/MG4W9WlI+jk/JJSnas7nZKFFA/"
    "nY9qVaE1SJ8frNGwjt8dlZCWxFq1xwVV1yl5iaqtaQFKUtG4j5DhRFai2oEhUKLXQOX+fw"
    "tU93QB9aRQ42xzmk2K9cRYZh2GwVBc7v8A2+LZ/FLn8UarlhlDSfNK4hnttUNFe7SWf33E"
    "a+VxUQ9ps3EN3dBEkp4RUliRETnd+qyGX2uqp9/z/pMwvt"
)
