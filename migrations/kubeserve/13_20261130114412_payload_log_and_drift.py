from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "payload_batches" (
    "name" VARCHAR(80) NOT NULL PRIMARY KEY,
    "endpoint_id" UUID NOT NULL,
    "taken_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_payload_bat_taken_a_22de2d" ON "payload_batches" ("taken_at");
COMMENT ON TABLE "payload_batches" IS 'A batch that was taken, so that it is not taken again; its file may be gone.';
        CREATE TABLE IF NOT EXISTS "payload_days" (
    "id" UUID NOT NULL PRIMARY KEY,
    "endpoint_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "seen" BIGINT NOT NULL,
    "sampled" BIGINT NOT NULL,
    "logged" BIGINT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "full" BIGINT NOT NULL,
    "large" BIGINT NOT NULL,
    "lost" BIGINT NOT NULL,
    "over_limit" BIGINT NOT NULL,
    CONSTRAINT "uid_payload_day_endpoin_659d36" UNIQUE ("endpoint_id", "day")
);
COMMENT ON TABLE "payload_days" IS 'Requests of an endpoint on a day; what was dropped, by reason.';
        CREATE TABLE IF NOT EXISTS "payload_sources" (
    "source" VARCHAR(32) NOT NULL PRIMARY KEY,
    "endpoint_id" UUID NOT NULL,
    "counts" JSONB NOT NULL,
    "told_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_payload_sou_told_at_e4b6da" ON "payload_sources" ("told_at");
COMMENT ON TABLE "payload_sources" IS 'What a process told last of what it counted (`runtime.payload_log.Counts`).';
        CREATE TABLE IF NOT EXISTS "drift_references" (
    "id" UUID NOT NULL PRIMARY KEY,
    "kind" VARCHAR(16) NOT NULL,
    "version_id" UUID,
    "endpoint_id" UUID,
    "rows" BIGINT NOT NULL,
    "columns" JSONB,
    "since" TIMESTAMPTZ,
    "until" TIMESTAMPTZ,
    "created_by" VARCHAR(100),
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_drift_refer_version_2e6f3d" ON "drift_references" ("version_id");
CREATE INDEX IF NOT EXISTS "idx_drift_refer_endpoin_df35f8" ON "drift_references" ("endpoint_id");
COMMENT ON TABLE "drift_references" IS 'What drift is measured against: of a version (training data), or of an endpoint (a window).';
        CREATE TABLE IF NOT EXISTS "payload_files" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "key" UUID NOT NULL UNIQUE,
    "endpoint_id" UUID NOT NULL,
    "name" VARCHAR(250) NOT NULL UNIQUE,
    "day" DATE NOT NULL,
    "revision" VARCHAR(80) NOT NULL,
    "model" VARCHAR(40) NOT NULL,
    "version" INT NOT NULL,
    "requests" INT NOT NULL,
    "rows" INT NOT NULL,
    "good_rows" INT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "first_at" TIMESTAMPTZ NOT NULL,
    "last_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "binned_by" VARCHAR(16),
    "counts" JSONB,
    "deleted_at" TIMESTAMPTZ,
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_payload_fil_endpoin_dcacf4" ON "payload_files" ("endpoint_id", "last_at");
CREATE INDEX IF NOT EXISTS "idx_payload_fil_expires_52d44e" ON "payload_files" ("expires_at");
COMMENT ON TABLE "payload_files" IS 'One Parquet file in the object store.';
        ALTER TABLE "endpoints" ADD "payload_log" JSONB;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "endpoints" DROP COLUMN "payload_log";
        DROP TABLE IF EXISTS "drift_references";
        DROP TABLE IF EXISTS "payload_files";
        DROP TABLE IF EXISTS "payload_batches";
        DROP TABLE IF EXISTS "payload_days";
        DROP TABLE IF EXISTS "payload_sources";"""


MODELS_STATE = (
    "eJztXW1z2za2/isYf2k7o/Ukzktz7Tt3Ro6d1ncTO+s47XbjjgyRkMSaArQEaUXd2/9+cc"
    "B3kZQIvVLMyQfHJnFA6gEEHDzn7T9Hj0GfSeY9seOu77PxxJdHp+Q/R5yOmfql7HaHHNHJ"
    "JHcTrvm072oR6Qx5z+E9mhXoS9+jlq/uD6grmbpkM2l5zsR3BAepj1TKqfBsSfwR9cmUeY"
    "z4nsNs4lKfuTNCuR1enXqCDztkIDwiOCPUskTA/Q6htu0xKYm6brMnx2LH8GRbWOrRDh9u"
    "8yEBd/4dsJ4vhswfMU896svv6rLDbfaVyfjPyWNv4DDXzgPMZj05oievXkNH+n7Pn030vb"
    "cj6r3TEvBB+j1LuMGYF6UmM38keCKmPi9cHTLOPPWx7AzoPHDdaJziS+G7qwu+F7Dkpe30"
    "gs0GNHBh6EA6fJP02lGvd31z1/t0edfrHRWGNZbIDEJ0yRIcpoTDowk3pl97LuNDf6T+fP"
    "3yr/A5KR5hK3jgL93btz93b79//fIHeKBQ8yqceNfRnRN96y/dBfVp2IkehRR2PZxFxK+4"
    "Xw540n4Oaye8aop1fCEFO/1a7ALtIbzE306ev/zx5ZsXr1++UU30iyZXflwwAFfXdxrdFE"
    "3pcIsV0bxQiPjOmJVDmgjNQWpHUsfxLwcI8AL07q4+XH666374CN2Ppfy3q6Hq3l3CnRN9"
    "dTZ39fvXc1M96YT8enX3M4E/yb9uri81nEL6Q08/MW13968jeCca+KLHxbSn1rEMJvHl+N"
    "JfsFwNHjPfHLjQp9bjlHp2r3BHnIiqtsVb45Px/BXK6VAPEqAJ75luO5dffeZx6l7ZjPuO"
    "P6vYnQrNlu1SLBLoOaGEw2puVF0yYZ4UnFCptgsS90NuJoxfXZCJJ55Ulx6Bd4R9ho2L+9"
    "CKfZRsM1+OHCkDphd8GfT/YOrVf6+79zh28Tt77gwrF8Gw/fIVMNo4mrvZhMvff52cvHjx"
    "48mzF6/fvHr544+v3jxL1sHirUUL4vnVT7Am5r6h8SJZvQWlA1d3108lNrPj73sXyu35r5"
    "49q7Hpq1aVu76+N7cxRV8JA5AzIi1E+eTVqxooq1aVKOt7eZQtjwEeSuM31QHyki1UBI7U"
    "B7RvuDuLlrgDUQyi1bigF2RHPVCbaq9sC/n8+eqifLgzInNjHQSOfQyCBzjGC8ZUf5tehI"
    "OUhV9/0r+KalYe3SK074TH1PH672ymAb5S70HLtehUNfoc9XSYqKZX02np0WmizWTnlPr4"
    "NnOZH67w3U9vuxeXR3/tTXV9x6bMu3WGo0pOJdtimcI6gLY9L21cX1OdjgQZ0xmxBXGBvP"
    "BHSunss4GaTB3icCLFmBGfccr9U+Kpg64DaqfHBgpb0D4djwgX9FFfPDIuF+iz23jSGuQK"
    "Krj7VHBxg1h7g8jut+ba1S61ql1O7wNRog6AXfmkFukQ/LLtKb67bGuSYbva21LfE1MJiz"
    "yQ8I4kYDFgttofgHAPuE36M9gMiO0MmfSJGBDHl8QS4tEpIfU30N9aW8wK9H1OCNl7Y/Y+"
    "ssKYQJ4RaeGxflOQZyBWeBjxJolAC+E9qcVNnSzgpk6K3BSyJtXot5c1kYzxFYY8I9bC8T"
    "6Q8a1U6LIDzL5OHNXdCmOcl8RhbvQw4+EW2U9kPxccLTXw5efKeEwWHirhkxkSncfkgY2p"
    "4z7AIfCRTXygHF0xVUdDi0p2RqaOmiWBTyiZRJ5g2rsLzosS2jLV/VQdAEtPmVt5xobJze"
    "rFZ/PrzvIT59F/DwJuwSgR/ST48fJ/jhq3EHUWHDX1YJucgxKB1p3rT17VOWWqVgtsx4Vz"
    "pv7fAN64PZ4y650y40WoN6JyZAJ0QXAlxKPZ+g0Bjsf6avTbe6y3HQmgrzLsc6IbGPeGfe"
    "kOZJgPwFzTDWzHv3xi+jhQGqSRNlimX1No2mPQtqaafaPUWGtE+ZAdk2vwTO0QLnylBM/k"
    "KXG05cUXpM8IfM2J0nHBHwAsMj7xmetKbXiRZKjU4aJ+venOlyvWX45CRwRorbTj39GLoJ"
    "FeBOkg1dVcUokWKokv66gsL6s1lpcFhaXZfgWooGzI7oCe0Pkv0vNayv/zBcr/8xLl33UM"
    "zaapBGJcD2M0/m/f+K9JOyOEE4k2AlxnFr+unsSvC3PYp57SS42UmkSihQBvhYixmV9K3f"
    "7vp5vripN4IjGv2ziWT/6PuI48xGjfBdACFjkFJkb0+w/df86D/fb9zfm8ZgIdnM8B7zH1"
    "saVfah2tnuB5qRZO8s0s080hI674k+NTv9p9NNOgs4SMcJKmdU1+PEnFoL0+IejgD+HwMw"
    "hBYE/MIyOqI2fVl5Y/duCqZEQyy2N+YrmD6NvIKbQDFx2/xO63pQfd83v+a2wqTJ8RMh2Q"
    "dqKsezQZosmw6WzvDmyGnnArbIaXPBgXfEPy20wk2+QN5ujm1+vL21Mipupt7nn34sPV9a"
    "laIsaOWjQuLn+5fH/zEe7baoFwxQTa/HJ1+StcenIgTGx+Fat1Vntd56g2z2BkTmqvC8HX"
    "ehFcwT2+INg6U/rmj2x6B2V2rz8zQTov1eTvRJMYCDTxVqPfXgYVHXtX0aOaNMq1HHupZS"
    "mVfaVv95woWvKbPM4eexKPKw1zXhJHucmjHNqCDR31c0Loqr/YVb/KPr+Ks/5d0tdhIrvU"
    "XT83sxrmsP+BjfuVLvvRzc4SHm+sm5nmJ3E4oVFWkAW5ReZblWbDS2ejDiHBVHgH4eODhM"
    "5BEDp47q2Gvr3nXlShNp7KB4NHUSM9HI10fuZuBlkMzN2Tnv+PQPj0qFzND+8t0/L/Da1q"
    "Kvm/QqirjoANZ9p3krjOGPIv2c5gwDwy8MSY+NpqLgba0u3A9FETALo40x/gFK7rrIJclB"
    "wRtvSMNQztzdoz93rC2I6NfSzUV6rEB7TywJYKrFTBoWEU3cYLOPhKtRyyXn/msxJUF52E"
    "C6Itwncnx+KMhYnbE+FE8Vg153VOpkXQb2xq9wMHVo/6iKYCCGcRTo9NXMeiJoBmRRDSIq"
    "TWJOiNHdd1TEDNCyGsRVjHbCy8mQKpb6Im5IQQ1rIFQPtpy95EHXDMloF5QYS3CK8rqO0D"
    "TAbI5mQQ1GpQewDBCsAmcgjuAnBXmbK4EGRhXSu4YzkBesPZnVA/dkF/NoFz2Lg5fl3qLY"
    "KznHtLsV5IvoXvbJKyI1BH9DHzzggUnCOWq/5mnvpNV5eb0LJCqQZyGI7ScKpsvxnWGuR0"
    "v/nUGWgQr4a+XQbx5oRddi2LSXkH9ZEqNpJsi2W7iVCfdNSjWqIXFl2qt7NAXKSWCks1pc"
    "GRI/rEklRN2lH2VJtmxEBtHUOPQhXtqKp2WISblhWU2nTva+xSf/iOyfIZNW/d6rn9qh56"
    "+AxtZlmZNVSD5WeJQzGZHWq8SkPwbdJehGEM3/QoN0jlUDqC8Jw/tbfEW2GzKsWj0K6e+m"
    "GpprV9xqExnEjBvWNKobCXJ4LhSG3/URmwY/IQ7wo6SbsfeYdYDLIrKIVAaQ42Y2Nmlzmb"
    "b7r7NRQPeJUVoqfnxFARMVZEwpxshvlrckJNdkbfM+zZrctWaobl9wLPSMOel2sh2CfP6m"
    "bEWpgSq0BYSEtMyhx8qnNipRKYE2utnFhSBJ5lRMRlZdqXGeZlrRn+csEEf1mSmQH2PmtE"
    "XXiMEdhFyRYuK89P3tSJCTp5Ux0UBPfmKngIbjavEwGc1LUmdVjOtuesVDdwTraFTPOhn/"
    "MOl7PBYV5xmBvNdDZlVA2ozmaFW7QCUgxRxPqWDfDQWRpGV1wGNoMrBn7uMUTxbVgUoZxl"
    "fptUTKhDLevG9ROSeELts+PU3kzlo87GG5rGj4lqEvRdx9IWZkjNy0WU7Lc0c8ka3UGC4C"
    "zTJQnRVm5O1MeGeArtlaR7njAxccMSo5AlBSqQnhFKABPHivvl7J7/MX2EbpJ/0cOhyFJo"
    "QQ/hCnuNKpb6Ur216ipJzrxhh68FySk3SKV+U/w11tTcbmWBPSe2bZgKv20zAXLWe+OsM7"
    "uPCf4FwbWGoWHTfdejoNWYsdpqhdHmOSe2u6U9NoRGa12fSsc62snS8+KkxtLz4qRy6YFb"
    "eexBXzKZ+HF7nO+rz3f0qa6e7u3yqUY3tm+N90aeFnOfIQVWjwJTL7+AA4vudmr6V+rWtT"
    "N2UZ/QOOsudV0xZXbKDTk8k2mrQ6QI2SKdPIt6TFftpvIRRIYK+7JsXRvtP+TJQk8ZEraN"
    "/DDjroFwo67q9IzcH90f6URfpPvxilBuQyOS5NCJs4NlsgiXJRmO2fucy18qk/jtYPbhBq"
    "VZQnfPvbt77sEFbrUj7G7Oq9txFkK2DM+tDRuKFp9b8USDnifNgxM9T9DzpLnINvnYfcHA"
    "ZWJBjGOmQafW4dvWAmYxjqFMnMEAXDD0GTY+M/vqTKymjfbNgGkaBi2WnbVX7wqO1XFRav"
    "gHx+Kor/D0DTm1z/TlqCvJGLiL3HM18goL6vaUZJ/5UwYJHKaCTITryjMyhDhK7aRCGLVG"
    "4atZYswg2YNQ1zx3pp49mXjiST1H/btWZ3c1WKIv7Jn2ZrGZ5djq3oxVHdIxxrIRp7/qQ7"
    "deXq3oa1QX9pxQ60DfQsEeZDa2N7fxzL33MzdGVe6EU4r0ABOUMyK4hNQq3x7rTEWUq80A"
    "OaGVkqg2DudN51ZHVu5bcCzAuMlvYpjhBLnSlzkniD5CTR7j+OBfHOJzIVxGeYXCkRGbG+"
    "C+kmvVmJ7f3LzPDef51ZzR+/rzh/NLdVjU46gaOX7OFo6RyEZ4H0okcisR3Zs5qDVoNska"
    "1ExQW2AMOlBgm2wL+smrLtYQ3uvUsgDp/XILzpehI+OAjh13psN3XTcKLI5sKuqt4bpTWj"
    "J1K8+Zd8aExJhKiAa26taKWkVJveVZZNhZzx1zHR9LLDax6WITaHFAi0NDtCK0OOxkcm8n"
    "jyPStt8C14O07bcxzArCVb7LWTkkbRs+wj218KqzhMnGmJdq49ZYa2c0KDiG7ubt4RfbA2"
    "eTCMaGotoChvFQkW0yxXjLBuqrNFpUzS/XpFOLcPRCEaN6flDx1XX4Y6aS3neSWCMKVOCA"
    "RF0miQuvfElkoEv0CY8MBBCIUvuEhwQf+1pCOm7pGWuQgvpRK/h/z8u1zhd5+w7gePZbZS"
    "c+uJOB2tdWOfplxPDk1+Tx3aMDyQF9bVdXoIfexjS9xGZ5mLguVfSy06phet4nNVbqI6rh"
    "qtDyMg3q6XgyFOhB7uZ6Gl4X8jyTCXW8KGzPc57UJFBXPB8KGTJuebOJmhVhbB40AYGB47"
    "LYEDsSYwaKmM28sljDjfYPpmSlGvKh3ggImY4YVGUMrc1qEgitBKpp77M1lcBHM2vlI+al"
    "XlHli2ZEEexzh1NvVuG6mwrN+3XO/NCieZjrWalnZ2SGTHZ+he751XX39rfEaJls/+9vrn"
    "86LzFbnv92d9mdI7nCRO8m9uJUAu3Fa9iLk/Wp7uqSCLTQD2ILAa5oJ66Evr1Jd1K1wHjU"
    "c5J4smzaybJwENqbxv5ZMrsb1z05Klfa823q6e0hsZErqLJcdb9TuvHDH77zkK3S8l2mME"
    "tHqdITP0ztIYkr+BD+B5U6aUIsEbi2TrRRlZlze49ZQzu3nSGTJV/06i00lUAdveW07C5H"
    "AtfWTa2tv3pq5ViQYym9X29NnUJ7kwxLn9TqpJMJwTCC23ua+ihMIBwWzDqFxYz7cQrhxF"
    "ueRxfUr2Gag+JSupUnbNj7HTMMw71dZBhGH5ONuuxgPpKtBxiYb/+47eO2v3jb77oOlRVb"
    "fnhv2XZPoVX9NIrwGPAgGcEp5WHiCTvQ4VUPUdnMMMhM/Qaxbk9q64Xziz76jNVG7ZaZOD"
    "bRZWlNAX0b7mps1qocgFFtm45qw4KaW/Rpjr4lRXwrldOMBCa9KknqEUzsFVnxvCSy4g3e"
    "3aO3T0dd7yCGp4ysDB4zFnviJDv0+p44H+KuDhPXpZ442WnVME+cEPpyJTQZloVKqP5wRj"
    "qoDV7P2skl2rlKCKOFLUs1xjQIAFVGVBkbtU5sW2XMvlYB4zv2tUJvnBNrQUGpRerL5T/v"
    "cppLwZ0l50kUN5/3cSnV1U2S1GZFdqetPzsQVR0dWKqhPkxVHatGNUFZxwjJlkRI/hJxPe"
    "Ua+y8pE7RQZ89uQvViIYOJK6h9TB7CIL8HbZN9kM6frKf9jh8IZ09g0tUeZaHHu5qd2rI7"
    "cCDbMCRR68/0jX7guHZ5POSWnrOEYw7GfXVRYZ+5GEUzzp8jvkQuqbpxtg0eLvZ3uAjHr7"
    "4SlgogYVqihZkHAG869HffgG47X12ynhVBXuSGkpdr09zdiUdKrTiES7U4FJShfcckHIX7"
    "IrMNF+ajzx/f3yiN5eKUxD3c8/PPV+8vrq5/Og03SDU69/z2snvx2ymBM8bsnr/rXr0HmQ"
    "F13OiZe49toL7PxhPf5KydFcGz9vx3oCpBVTVh1K7kVLsmi6gN5SJN8E4lEG9zvOHMxbhR"
    "LGtGpA2Ib3tJVh/GBch6fWbRQBrN7TLZNmC+61k+cekqGXvmxNqA/LaV9hCyFTX3EuGVNJ"
    "KmYb4X7d1jE+GVsJnV4dupxFrh2w1Df9fR27GNpT8zWWryUi3kB57XSvn9fEHK7+eY8hst"
    "YVoBhQO5UomGarcwH/miNIZ0N8dDsTjamm1ZYZyzcjjCTR5hdEJFJ9SGWLUb7IR6GVW4Oi"
    "q3aie3O0vM2kmlLN2yll07FjkmD9G46+iloQe5dXViNjA3zyJ7M3iiTqN45SmFQOVyK/ZG"
    "ekUv18MzRKOX6/a8XNNvkoEJKC+ERqAileIyWsbcViKakUA4i3A+OaYewTkZhHQeUqVhjE"
    "2ovrg9En1rpGl0hQnkUXNEfHXEJ3QG7hk9VwxNkJ8TwxFYfQTCA9EqhGteEgmZJhMySKtX"
    "b9ztpdUxwAQDTBpExTU5wCQm226jU8nRYk4uadapyc31csedOiHjNpu4YsbsJH+QJtCg2g"
    "G81hlxxuNAP6YsitxMuJRyYxn6EUk3JN0ateTMOT29qOP09KLa6elFRTYiw60zL4V75xyo"
    "FVar6imbCLRwzmIGreZzcHtwpW4cpNsOb/F8Z6A0oRV8eUtEWwj5FpK6Jrit6NRb0UGblp"
    "Bdx+WpsyL1A69EoVtAP2eFsDzTOrz/o8uox3uVO+iCCOCiaAuDCuroKq+rdZXXBV2F8SfH"
    "E3zMysiT6ik/J4a8//pO7cgIf0uMcEJHmR1s58TwZLuYFc5SZ+vzwlk/wMNEdykzPDe/Gs"
    "YN30auP+WU8G3qGLSQCY4ciAycNFM3ScoT38pTKIHrMc3lqj4GA8ciQ8Gkzhg0ElMojist"
    "6jK5kCLeQv/LWeQo3xDyyI3ikTGL0NEmSSNqlftqLiAyrApHzTbwF5unjKJVyeTckBHBg/"
    "I6B2W18MP7GECfEUHo1zmvCe6rhzMPtCkr8DzGrZJ45MpVu1IeXW/nV3A4torA75XQou9c"
    "QSsAzknNgToAsW3B+vrZ8baQXQDbxc3n8/eX5OPt5durT1fRhE+OuvomXFIXnFCPv73svi"
    "8m3LPVQdVkNUkkkPtZfS3BFFjVhM42ktVgAglMINEE9JHXRF4TeU3kNWPmUriu0liPKnjN"
    "6G5nGa8ZtjPgNSOJMzIdCZ3V3FXrkgxZRsHJwBNj4o8cqRpOO0QKoBxHQn0oQl0XMpwDPS"
    "mJL8ijWg/Kuc0NP+Oe33OLctuB5b9DvIBz9TBCKIn9er8LXWs7YYVPzZZGNuF73mcD9f0g"
    "uX+QqD3mV3XRUKrfGQY3fEv9my/uuRe46s/8Px03L302Ue+rev4jsNUgk/6sQx508+Nb+P"
    "lwz6FNR7dU+1okrL80QPvCO4QN4HWnI8ZztO+UxoH59+rs+Mh42kX0EkoA+lAbOtSrgvYD"
    "x5PqzRjcEUTPFtWn+hAh+537ECGRGL9I3CIujK5HB94OHu66szIE4IljJRV4zFYfXbc7vo"
    "Of6qNbYjxR4NhZKSCwJ+qaoyk3SWxnMGBauD9TsyDwLDWCD3BVHsNuCd2MmPU4hz90E4On"
    "fgiRoKdfyRXiEcq9+8SlUn34CZUy/x7h+EsoI6s+PqPWKOxLf/iR6iIU6WT8tkOwYKAmTL"
    "0mV/1arqP+z/erkyqEU15nRFLCHV1FXl0dkykjVD7qhyfT+Z5DLJ3PJCxT2X6gFdwicC98"
    "Nfh0qoOwUj2M6sSlsyLEA+qFYwqJH2CCxg07ulruk/ruHN9Glx7QdoC2A7QdRKe6A8vPHm"
    "2EhrP26Pbz9bXOxB7J3/MLdS44Jbbgajm6vXn//vKid959+/dTvSky+2+wG97zt93rt5fv"
    "dY52CzCAW/f80+ePl7efLnW6dxmo1VGtnE1J356ssiYsV04IWfN1mK50ftYFPyOC0K8Bfa"
    "j0miCfSiDw6xjp4FhgRKrHAgj7WkuNW+ZIv2ihcUsd5xF209luoIDGzdHqWdQ9NUdgyppn"
    "xFpImR8IRR5jsjgbREThmI5wVg6zvDR5hA8kq90BHcg1o2iyqScCuKmv5ewUUrdGh+aMDI"
    "K/Dvia8DaCPpFA4NdKhgecvwnwqQS6Q6E7FLpDHdgCswt3KG0iNMI5kWjD3N4BxBnraRHn"
    "apvjnNgaxseGQb6ZZEGxxdiIUcvI4IaIseHoQ2noQ7nSmGflkB9qMj+EXrLoJYtesqt5yd"
    "6KaTg5Kj1ldYtOPW/Znhc3XuoxC91mPUSVdOROJzsk4L7jat9VKk9VA9BvOoRKAtt60TN2"
    "zb5KvPTq+uPFn9ts5clL7dY/r5HLTodUO+PFUyoP7rnDqTergndaxtolGd0Oc70pg/U80n"
    "yTXVppyedX193b38qJjPMSTfn8t7vLbtnSb7I0Fb4RxRG74exOqB/194iMq/4hfg+WbhD5"
    "ZaDG/rDumt+dOGqTrljuo5vLVno6cXqPbGYQF6FaH5OHMbUhqeID+MBTIoP+H8zyT2Fddo"
    "VkMiqZ50sypo8Q1wAXy2Mg1ugP4h3ibZlELvk+ERPG5Rm5FpzpDlSP7GuYRUZ7u+uYBvHI"
    "0mwy9XaNL/nU8Orn70aO3dVkVunGsSJZuNevSp7HenFSg8Z6cVLJYsGtxZvJo1OV93a5I3"
    "Is22SO9qj78UopORPnnl9eX3y8ubq+OyWha5DpYLypMRZvKofizTydiHndE2RPatG1Jwvo"
    "2pMiXWueaBjzCxvlF5aWmJh5QqYSaD9eg7aNdnqTqZ0RaeHcxgQDSI7n2q1Bjn+dOKq3Ve"
    "jxnGQLR/1ARrkWQw7xur1ArvT1npdFW0iTR9pjTxCkvcI45yVxlJs8ynu3eB3O2Br4ZmBd"
    "Sawr2SB6uEZdybI1Yef22WauBQdunv0s1a2fReAdlbP16f3OEsI+gJa9kWpqwNknJLnDiV"
    "B/gzjkTvl89/aYXEGOHjqT2Uw5cXNJovrZ5dz9BvoFDl+LpXlhwsw6wrW1UJirR90A9t+m"
    "s45q4VgjuMejZEjQbKp+ZXD/noOKqzQfGZkEwjRJkBMm+w4dMAX8yTxBfCHuuTUJerJDxm"
    "wsvFlv6PR7OpnOI5v4Oi8NPBxs0I5F5T2XOoajdx+cPDt5HT0GPn/UgkxFoN5+RJ8UJNSG"
    "VE6+mHTC3tR8GsNHcFnmzbhOKQHzJkp+pB4X5SuyKOfCJ5YIALgqW8WX+S8AYFpIRPMls2"
    "SnDWpbMBaV2yrdMUtWnOi721wTxg5La1UbNvauETZ0l11TJUSrxRYre46i7cvklBrLIOHU"
    "6AOqxxSk0jeswJiVWilut2Gq6H6qLlY5TC3AvdxhCjGvjfmUPpqWG01E2hShvusCoz71TB"
    "eZVAaBXxn4fiBnhoUkUpEVq0g0bKFZgOFGikjANFXPN0Q5L7bLeh2HCzWYd01nc0YGQa4D"
    "MlQDe2KGKGeFEOY6MMdUlhHMWSGEuQ7Mmv0zwjiRQIDrAJzlVY1wnhdEuGtpGyE/bT6t5w"
    "URbgO4V57kFfIIfh3w0cyPZv4G2aFrmPn3a4W+VUed8INWGqLjJp1atmgvbF3THH0HRT3A"
    "lsk8OVfUOyreATZRatvM1nVJzhKDMDyHcPZV/xE26LOZ4NpMPC4aqLf6pDWCjJtn2/s2yo"
    "CEhXNMzH+pRAsNgJsPqYm/bEWIF+XDTGUwrGa99ICruQnTFod6HLoNdq0g/o2qDu8Fte+Y"
    "9CvUhuT2MpUhzidn4LwGzbU3GTxWRq5RiROX2pRzXmZ0udfaOh2Cu9rEVapEpr6bE1Ub02"
    "lIHpJPeAztHrQyIXV9M6iSBrlMlLQadzU1ZK44Gnin3XQDf0Sii5kiadoOoNSQXJk0XQUP"
    "AtnD6mUQJXfPVWu9cIIzHddlAoWOpXeemDzTA3sa+53BD3A86xDt4EZsR2k92tVsDBHy+r"
    "ND9TTIIhp92hm0G1DHVe8Cr6E+sAPrtxdMfABAXdOJtgijXphhutRXLT1RVFRM+xLViTLz"
    "T8PSabsqnbbIItvO6mk7tsg275DQ3K3cwAGw2qu++hSQlWnhOWDzjoCw75mcAeL2qP+vVW"
    "HosIoymkN/9I/Pl5+heqJ6SAAVFYv1Gd9dXV99+hnaDBzuyBG0ete90qUYQ63lnqu19vL2"
    "9vPHO7iYUV7mVcU6353NV2KM1DeT9Skj0sJc2BtHGPPoV5+JMY/+7iZ2K/Lof4sYY2aVbz"
    "CzSlLIeZVxn5PFZAxN41kLnrorjXNeEke5yaOMZQTaPsLoF4R+QegXZGTcu3xifJmFL2zT"
    "qWnm6zFoXtPY90mMmT9SYBOqbXTEF67dgdwSYOkSns28okGvrlCpHSp+zQWWKEyQ0MgECV"
    "WGqW/MKrWxEsLqicG4lDuo5u2zMsjdr8Hd77023wENwOrqSnaxX19hyXq8HCa6S1WWufnV"
    "UKXllk2Et0xriRrVVls83b6m3tIlgzCbk65YpJUQlw10Uizw6YEI3oHqgEhfzbOiBmMuvl"
    "SXGQhvrM6oJV41YZJ4TPvUTK0mGrfCCFTz96lEC/n7DdeswJoK266p4PwJefp909wpebk2"
    "6ec79hpDRRIVSVQkDRXJC88ZKAVxwDwGY1WuSM41WqZI2tBcaZFR+5qK5K+gAmpR8CkfMy"
    "oDD2qWDRW20j/VQWzkiXkSfIq/15AD8QXqxA/a93ouyu17SqZqaojpD0Wtc4vPAh95qK4V"
    "erVHkp3odidM6HrPw+VHEiIfmW+NmCT9GQkvku8fPKjzOWbH8c2HHyoU34KKG70zzDV1L5"
    "8XFd3J9+tOXl2vrRznQ6jR1hjHtszEN5jKeSmsIdAwN/xWorrjlJYrLQTPWnUwiDZbE3Y/"
    "I7IWuX84M3g7fvkOLws6X+JJ5JSfGtDFpFEuJroWvenYJkI4tk0e2725rTdsTNGjGj2qt+"
    "JRjf556J/XII6yyf55H+kMKNRz6lujo3J+Mteks4SdnISNe32qubV65GSX6OZR6iyopkQf"
    "Ge8QKaIkGZpIhPwR+kbIJJ5pLzxt3x7TGekzMhS81Aa+2c7rEIW6p15sJi9lBfdbL2a/Bv"
    "G8JbbOtv+metd/E236WPFox1RLMskNNausHOpVTderCkrAvreqCzpbvFFBg7rblE1nNfeo"
    "26ji0LxxCjIhQW3AKMUjbDC2JyYTSFnUn5EwwLu4K63fXZ1Kfaqj9bzO0U61aTsVbkZb2Y"
    "xsWkKmwD5U4V9Oy1iU3PbTLihh+5injxkryVWx0JkqkkBTyYpFqOh44jJDN9iMEOK+qu/a"
    "cGgKeyqDqK842w/MZbNd6A/Uu5jhHksg4iuuMtQbllA6CxeZWAQxX3VlL/OVXbyuyzLmAR"
    "Gvibh4Yl7PdcaOIe55OUS/PvqNY2DeOfr1FlAwukWnJgcDLLtBzu6P1FOj74fkfBTIFuah"
    "roqCqyUFnsWZQzaZy909HTnWKGsL0KmueWImkOoi8YUA5+NATZEoibcY6BaUS0iJbRNwNu"
    "uk3sid+FX6DtdUEPyeuHaTB3WZa5P/w9l9nBc8/Dd2pASnacj+JGO/Z/Z14qgjco9Cju6B"
    "J8ZhonHBIyNHlGn8LP5FNTyFW8Ay6TTjkAC8E2Y3CLEZCvXJoFxJXcvHHE8BxU+0HUS7Sy"
    "evh1GCDY0SfGQlNEo1KxU13y0L2HguCim+rcCKFtPIYnryqo7JVLWqtJnqe0igrkmgeuzJ"
    "gQAHk0mZlWlh6MmmjPmZ8q5CKSsmCCcCLYR38wn1oxidIsCVCldGok3h1BtLd+RFll0DSL"
    "MiiGkZpqVRPQ0K6TkgLIdC2D1DQHMyiGoLjB0tOclm7B1AgazgjZaVa6E32oF4n9WKm4nJ"
    "JMMRzojhADd6gDMEoeEY5yVxmBs9zAmrbXKsywm1MPpt4zkbQjtEEeIlBZMxKnvNqOzUtm"
    "K6iOUlMYa3yWsYBpZWL2ztCoDAwFIMLN0Psm0ILP0kAq8y812+Taemv4jUzU3y3lEy8YQS"
    "kbqCA4EDYVgBPQz/1HoPszOp4eJHuWJ4/FZrRQ9Vee4213etwFL1jMX+EzIBs65mnUq0zl"
    "L64qSGVv3ipFKrhlsYzrMHW//eDi8HBOdWTi/xAmOo1GbEUKNtikZbcpDRb98ch9Irm40n"
    "Qqkx1kxpdhVawlyjZWqCkzbvPbK64b3gI6paw9Yt1K+hZgWJZf2Rdsq0nSELd3bwjowMto"
    "RyOyykoP07Yb8fCr/cAXWTnZeG/qaaM3jlYa2pBlmpqtWHquNOtbaWSqB/Sw3/llKH1gVZ"
    "gUsdWtsA7cmrV7WcBl8tcBp8VSx4r5eqnnn5i6JkCzHffBmMcC8w0YtTCST1V1eLke5tm3"
    "Lc/Hw3XeY5lUnZopvLlGGaNlumAlcP+HJiyki7/FZUyzV9y6qVxkqf3ertttpptw377FZ0"
    "G/heGSAcNW8huttJzCu4b1gTNiOCFJ+hLrPXXe2v/wfEEEIH"
)
