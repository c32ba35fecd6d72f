from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "fewer_rights" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "user_id" UUID NOT NULL,
    "at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_fewer_right_at_b014e5" ON "fewer_rights" ("at");
COMMENT ON TABLE "fewer_rights" IS 'A person who may do less than before, in some tenant: runtimes refuse their older tokens.';
        CREATE TABLE IF NOT EXISTS "oauth_access_tokens" (
    "jti" VARCHAR(64) NOT NULL PRIMARY KEY,
    "grant_id" UUID,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "revoked_at" TIMESTAMPTZ
);
CREATE INDEX IF NOT EXISTS "idx_oauth_acces_grant_i_770277" ON "oauth_access_tokens" ("grant_id");
CREATE INDEX IF NOT EXISTS "idx_oauth_acces_expires_e5017b" ON "oauth_access_tokens" ("expires_at");
COMMENT ON TABLE "oauth_access_tokens" IS 'An access token that may have to be revoked: one of a grant, or one that was.';
        CREATE TABLE IF NOT EXISTS "oauth_used_assertions" (
    "digest" VARCHAR(64) NOT NULL PRIMARY KEY,
    "expires_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_oauth_used__expires_965f56" ON "oauth_used_assertions" ("expires_at");
COMMENT ON TABLE "oauth_used_assertions" IS 'The `jti` of a client''s assertion, kept for as long as the assertion could come again.';
        CREATE TABLE IF NOT EXISTS "oauth_wrong_codes" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "user_id" UUID NOT NULL,
    "address" VARCHAR(64) NOT NULL,
    "at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_oauth_wrong_at_6aecc8" ON "oauth_wrong_codes" ("at");
COMMENT ON TABLE "oauth_wrong_codes" IS 'Somebody typed a user code that is none: counted for a person and for an address.';
        CREATE TABLE IF NOT EXISTS "oauth_codes" (
    "code_sha256" VARCHAR(64) NOT NULL PRIMARY KEY,
    "client_id" VARCHAR(64) NOT NULL,
    "redirect_uri" VARCHAR(2000) NOT NULL,
    "scopes" JSONB NOT NULL,
    "resource" VARCHAR(400),
    "code_challenge" VARCHAR(128) NOT NULL,
    "nonce" VARCHAR(400),
    "signed_in_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "grant_id" UUID,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "oauth_codes" IS 'A code on its way through a browser. `grant_id` is there once it was redeemed.';
        CREATE TABLE IF NOT EXISTS "oauth_device_codes" (
    "code_sha256" VARCHAR(64) NOT NULL PRIMARY KEY,
    "user_code" VARCHAR(16) NOT NULL UNIQUE,
    "client_id" VARCHAR(64) NOT NULL,
    "scopes" JSONB NOT NULL,
    "resource" VARCHAR(400),
    "address" VARCHAR(64) NOT NULL,
    "interval_s" INT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "polled_at" TIMESTAMPTZ,
    "approved" BOOL,
    "grant_id" UUID,
    "tenant_id" UUID REFERENCES "tenants" ("id") ON DELETE CASCADE,
    "user_id" UUID REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "oauth_device_codes" IS 'A device that waits for a person to type its user code in.';
        CREATE TABLE IF NOT EXISTS "oauth_grants" (
    "id" UUID NOT NULL PRIMARY KEY,
    "client_id" VARCHAR(64) NOT NULL,
    "scopes" JSONB NOT NULL,
    "resource" VARCHAR(400),
    "created_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "ended_at" TIMESTAMPTZ,
    "end_reason" VARCHAR(40),
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "oauth_grants" IS 'What a person allowed a client in one tenant: the family of all tokens that came of it.';
        CREATE TABLE IF NOT EXISTS "oauth_refresh_tokens" (
    "token_sha256" VARCHAR(64) NOT NULL PRIMARY KEY,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "used_at" TIMESTAMPTZ,
    "grant_id" UUID NOT NULL REFERENCES "oauth_grants" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "oauth_refresh_tokens" IS 'One link of a grant''s chain of refresh tokens. Its successor follows from its text.';
        ALTER TABLE "oauth_clients" ADD "auth_method" VARCHAR(32) NOT NULL DEFAULT 'client_secret_basic';
        ALTER TABLE "oauth_clients" ADD "jwks" JSONB;
        ALTER TABLE "oauth_clients" ADD "redirect_uris" JSONB;
        ALTER TABLE "oauth_clients" ALTER COLUMN "secret_sha256" DROP NOT NULL;
        ALTER TABLE "oauth_signing_keys" ADD "changed_at" TIMESTAMPTZ;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "oauth_clients" DROP COLUMN "auth_method";
        ALTER TABLE "oauth_clients" DROP COLUMN "jwks";
        ALTER TABLE "oauth_clients" DROP COLUMN "redirect_uris";
        ALTER TABLE "oauth_clients" ALTER COLUMN "secret_sha256" SET NOT NULL;
        ALTER TABLE "oauth_signing_keys" DROP COLUMN "changed_at";
        DROP TABLE IF EXISTS "oauth_codes";
        DROP TABLE IF EXISTS "oauth_grants";
        DROP TABLE IF EXISTS "oauth_wrong_codes";
        DROP TABLE IF EXISTS "fewer_rights";
        DROP TABLE IF EXISTS "oauth_used_assertions";
        DROP TABLE IF EXISTS "oauth_refresh_tokens";
        DROP TABLE IF EXISTS "oauth_device_codes";
        DROP TABLE IF EXISTS "oauth_access_tokens";"""


MODELS_STATE = (
    "eJztXW1z27aW/isYfbndGa0nkV+S6+zsjByrre4mdtZxmttbd2SIhCTUFKCCpBX1bv774o"
    "AU3ymR1BtFIx/ahMQBqQcgznNecPDv1pM7JDYRz+Sk6zhkOnPs1iX6d4vhKZF/ybrdRi08"
    "m8VuwjUHDy0lYtMxG1A2wFGBoe0IbDjy/ghbNpGXTGIbgs4cyhlIfcK2PefCtJEzwQ6aE0"
    "GQIygxkYUdYi0QZqZ3dS44G7fRiAvEGUHYMLjLnDbCpimIbSN53STP1CAn8GSTG/LRlI13"
    "+RCX0T9dMnD4mDgTIuSjfvtdXqbMJN+Ivfzn7GkwosQy4wCTxcCe4M75BXSk7g+cxUzdez"
    "/B4kclAT9kODC45U5ZWmq2cCacBWLy98LVMWFEyJ9lRkBnrmX547S85L27vOAIlwQvbYYX"
    "TDLCrgVDB9Lem4TXWoPBze394HPvfjBopYZ1KREZBP+SwRlMCcr8CTfF3wYWYWNnIv95cf"
    "bde06Ih9cKHvhL9+79z927Hy7O/gMeyOW88ibejX+no259V11gB3udqFEIYVfDmUa8z5xs"
    "wIP2Caypd7Us1ssLIdjhZ7EPtMfwEv/ZeX325uzt6cXZW9lEvWhw5c2KAejf3Ct0QzRtyg"
    "ySRvNaIuLQKcmGNBBKQGr6UifLvxwhwCvQu+9/7H2+7378BN1PbftPS0HVve/BnY66ukhc"
    "/eEiMdWDTtDX/v3PCP6J/nV701NwctsZC/XEsN39v1rwTth1+IDx+UCuYxFMlpeXl77Dcj"
    "V6inw5cGGIjac5FuYgdYd3eF7b9K1pZ5q8ghkeq0ECNOE9Q7XT++YQwbDVNwlzqLPI0U6p"
    "Zuu0FPEFBtSToKSgouqiGRE2ZwjbUl2gZT/odkZY/xrNBH+WXQoE7wh6hkzTeqhiHxlq5r"
    "cWtW2XqAXfdod/EPnqvxfVPdRMf7NXdJy7CHrt16+AvuKor7Lxlr+/dzqnp286r04v3p6f"
    "vXlz/vZVsA6mb61aEK/6P8GaGPtCl4tkvgoKB66o1g8ltqPxD62FYjr//NWrAkpftsrV+u"
    "peQjH5n0QJkCMiDUS5c35eAGXZKhdldS+OsiEI4CEZf1kOEJdsIBFoyR9o3jJr4S9xR0IM"
    "/NU4xQuio+5KpTrIUiFfvvSvs4c7IpIYa9el5gkIHuEYrxhT9TWdeoMUhV/90u9pmhVHNw"
    "3tj1wQaV7/D1kogPvyPXA2iw6p0Re/p+NENbwaTkuB5wGbic4p+fNNYhHHW+G7n993r3ut"
    "7wejrj+SORF3dDzJ9alEW6wjrCNoOxBh4+JMdT7haIoXyOTIAueFM5Gkc0hGcjK1EWXI5l"
    "OCHMIwcy6RkIYuBdopyEhiC+yTCsQt4KMOfyLMXsFnd/GkDZwrmuAekuBqBbGxgojq2/Ls"
    "ap+sap/T+0hI1BF4Vz7LRdoDP0s9Le+uU022166wWhoKPrdhkQcnPLURRAyIKfUDONxdZq"
    "LhApQBMumY2A7iI0QdGxmcP9EMp/4W+ttIxVRw38eEtPe+tPfej8KUgTwi0kCzfluQRyCW"
    "eJTymwQCDYS3U8g31Vnhm+qkfVPaa5KPfnO9JjYhrMKQR8QaON5HMr65hC46wOTbjMruKo"
    "xxXFIPc62HWRu32vupvZ8rTEsFfLZduRyTlUYl/LKSjs4T9EimmFqPYAQ+kZkDLkeLz6Vp"
    "aGCbvENzKmeJ6yCMZn4mmMruAnvRhrZEdj+XBmCmlbmTZ2zZuZm/+Gx/3Vlvcbb+a+QyA0"
    "YJqSfBf87+u1W7hai9wtRUg13GDgoEGmfXd86LWJmy1YrYccrOVP8vAe+yvbYyi1mZy0Vo"
    "MMH2pAzQKcFKiPuz9QUBrs36fPSba9ab1AbQqwx7QnQL416zj+5IhvkIwjVd16RO75kocy"
    "Bzk0bYYB2/xtB0QKBtQZp9K2msMcFsTE7QDWSmthHjjiTBC/sSURV5cTgaEgSfOZIcF/IB"
    "ICLjIIdYlq0CLzYaSzqc5tfb7nw9sf6t5SUiQGvJjn/XWQS1zCIIB6kocwklGkgSz4pQlr"
    "N8xnKWIiz1zivQBGVLcQedCR3/kF4XIv+vV5D/1xnk36Ilw6ahhMa4GMY6+L/74L9y2pVC"
    "OJBoIsBFZvFF/iS+SM1hBwvJS0uRmkCigQDvxBFjEifTdfuPz7c3OZZ4IJHkNtRw0P8hi9"
    "rHuNt3BbSARYzALBH94WP3n0mw33+4vUoyE+jgKgG8IPJn205mdDR/gselGjjJt7NM18cZ"
    "0WfP1MFOfvpopEF7jTOCBk2LhvxYUIpBZX3CpoM/OGXvYAsCeSYCTbDaOSs/WvbUhqs2QT"
    "YxBHGCyB3svvWTQttwkToZcb8dPeiBPbCvy1Bh+AzP0wFlJ7K61yFDHTKsu7d3DzFDwa2c"
    "mGGPudNUbkhczfiydVYwrduvN727S8Tn8m0eWPf6Y//mUi4RUyoXjeveL70Pt5/gvikXCI"
    "vPoM0v/d5XuPRMYZtYchUrZKtdFDHVkh6MiKV2kdp8rRbBCunxKcHGhdK3b7IpDUrMwXBR"
    "Bum4VJ2/iTp5IHSINx/95npQdWJvFR5Vp1EulNiLDUNS9kpfd0JUR/LrPM6CPPOnSsMcl9"
    "SjXOdR9mLBJRP1Y0I6VX91qn5efL5Ksv590NdxIrs2XT82s2qWsP+RTIe5Kfv+zfYaP95U"
    "NStbn4QyhP2qICtqiyRbZVbDC2ej2kKiS+EdRY6PdugchUNH27350DfX7tUUauulfPTmUc"
    "1Ij4eRJmfudpDVG3MPxPP/1+UObmXTfO/eOpb/J7QqSPK/wlZXtQPWm2l/s5FFp1B/yaSj"
    "ERFoJPgUOSpqzkcq0k1h+sgJAF28Uz/gEq6rqoKMZ5gIO3rGBoH2eunMg1oYu4mxT7n8pD"
    "JyQHMNtlCg0gkONXPRbf0AB0dSyzEZDBcOyUB1lSWcEm0QvnsxiyMRJmbOOPX3YxWc1zGZ"
    "BkG/tak9dCmsHsURDQU0nGk4BZlZ1MBlAI2KaEjTkBozdzCllkXLgBoX0rCmYZ2SKRcLCd"
    "KwDE2ICWlYsxYAladtD2bSwCm3DCQFNbwevBvldK/3e9wycs/lf/bh9aiDqbH1KNymFrcP"
    "Z7bJHWK90ub23rnMTn1XMvMpEe8QnDOFDEv+W5rC2DtUaoazzkcsIaez0GtuIR+2sFKNcm"
    "23v2Nex8HyoW9WHKw+u626hkFs+x6ORclRJNEW67QJl790MsBKYuCdtVJMs8B2KCXlndAS"
    "7oma4GcSVGhR+XGXyiPLR1J1jAWGw3P9w3S9s3dx1jky2+59Ay31h0PLLJ9+88atnrsv5q"
    "+Gr6SrPCqzATVYb0sci6f8WNPUa4JvnXSRzl5+0aNcI8ohOQIX9C8VJH3PTZJHPFLtitEP"
    "QzYtnCoKjcEihajuHMN5PoK744lU//7pPyfocakVVG1mxw8KGwQ2VUtCIJmDSciUmFk5pt"
    "vufgPiAa9SYdNkQkwTkdJExCvFVLJsRUyozjmoB4Y9qrpMSTMMZ+CKUgw7KddAsDuvihbC"
    "WVkJJ30MtsFnWXH9/FI4oYQuhbNRKRybu8Io5YiLyjSvIMRZoRl+tmKCn2VsyAbdZ0ywBY"
    "8pBXZasoHLyuvO2yJbATpv8/cCwL1E4X7Oys3rQEBP6kKT2jvFckArHReWkG2gp/nY7bzj"
    "9dnoYa44zLX2dNZlVEu4OuuVZd0ISPXOJH2sXQ0ydNbunkkvA9vBVe/3OuDOpPdeLfRsL/"
    "P7oFB6Edeyaly8DoHgUs9Ow3gztp9UEU4vNH6CZBN3aFFDRZihIifjfo3PzIIFG3QHdUGj"
    "ni4bIRXlZkj+bEijVllJqucZ4TPLO1kQiiPAwYPvEEaACTWW/TLywP6YP0E3wR//4XC2ih"
    "dB9+DyevUPKnRs+dayq6Am65YTvlbUpNuiK/VF+a/1UXq7LSh+4HqWNaPwuw4TaJ/1wXzW"
    "Ee1TBv+U4EbDULPpvu9RUDRmKlUtL6U8E2L7W9qXgVB/rRtimxqtvSw9p50CS89pJ3fpgV"
    "tx7IEvlZn4y/Z6vlef7zqnOn+6NyunWqexvTS/t/bT6pJH2gVWyAV2TcB3syLZMtKgXcgV"
    "ZiqBcsmWnsxyKwX4gsB7hZeVOB2OYNooJxF4ar3sScqyfGFVuwI/2PJQHPgDRXv8vrAtF3"
    "5V0+eduux3ZRMCfqsHJkdeYoGtgZQcEmdOYCfJnKMZtyz7HRpDQqfyliGCjYn3agafEth1"
    "wuU1YS3ks2czwZ/lc+SfG86IHCw+5OZCudVMYlBT3lt4J7LpZM+6uhPynWUqwmD4n1FR2G"
    "NCjQN9BwVDdUbt7ua2dpUd3GjV6Z17yYTTJ/7u4fioJWdKo5xfBD0mVKmaS+1w3nZtJ+3W"
    "egkeDp3A+SKGGSzISh9zTFA7K+s8xkvDPz3EV5xbBLMcwhERSwzwUMo1akyvbm8/xIbzqp"
    "+obXrz5eNVTxqLahxlI+r519L6UadENyglupGIHiwjujFo1ikhup6gNiAf+kiBrXMs6CeR"
    "XzXSu9cuFAFS+rLwcQ3YCaMz2LL4nJhhhjBlkWMW1IkJsqMptRYqj9iy/AxnP6Yi3xqu08"
    "wjG3byHC972nOweTEjzqQQdk3ZreG38quL2e/8wA40637qI8xM1XdQUn15WETkUDld9fLw"
    "+qS9IqyjIw464lATVqQjDnuZ3LspKKHdti/B16Pdti9jmCWEVb7lqJx22tZ8hAdy4ZW2RB"
    "nFGJdqomospBlLVD7XmbzN8S82B846ORhrimoDPIzHimydXYx3ZCQ/pcmqYwViTdqFHI7C"
    "Eyl1sAAcPWNR9hQp6f83GxkTDK7AEfK7DCoo9B0b2a46K4ALNOLgQLS9c16Vg498y3A67u"
    "gZm5wTC4+qkP+dlGtcLvLuE8C17VdFEx+dZSD1WhXTLyKmLb86j+8BE0iO6LOtTqDHYmtM"
    "L4hZHieua4ledFrVjOd9lmMlf6IcrhyWF2lQjOPZnsAAikgVY3hdKDiFZpgKf9ueoM9yEs"
    "grwoETFQgzxGImZ4W3Nw+agMCIWmQZiJ3wKQEiZhKRtddwq/1DKFlSQzZWigCh+YTA8RBe"
    "tFlOAq5IoJz2DtmQBD6Vi1Y+6QJZFSmfPyPSYF9RhsUiJ3U3FErmdS5PvD/O9Swzs9MPQw"
    "aaX6J71b/p3v0aBC0D9f/h9uanq4yw5dWv971uwsnlVZwrEy8OJXS8eIN4cbA+FV1dAoEG"
    "5kHsYIOrjhO/wKo1IS0oPeoxSW1Z1s2yTBlCB2PsX2xidpcFWFvZpD3ephhv9xwbscqu66"
    "n7veTGj3849DFaLvZvkQqxbUmlZ45X2sNGFmdj+D9Q6qAJMrhrmarQBsJjnFUtZHeP2YCd"
    "m3RM7IwPPV+FhhKaozfcLauPLz3GtfWrkCvHihpL4f1ia+oc2pepsPRZrk6qmBAMI6S9h6"
    "WPVEY79Sp3X8JixsBjEauZBHnq6oL8q1fmIL2U7uQJW85+v6Lj/NICWT6OjJIC/gdY3+XT"
    "qyfw907n9PRN59Xpxdvzszdvzt++CgoLpG+tqjBw1f8JNlHGPtzlrso1xY50jsm2UnZ0PZ"
    "KdbzAor/612tdqf8151hbFdo7K9+6tU/cYWhUvowiPgQySCVgpjzPBTVdtr3r0z+/wNpnJ"
    "v8Fet2epesF+UabPVCpqKyvEsY0uM9T4by11G+4qbH7Xu9rqtKtNn+yxw5xm/ytJ45tLTi"
    "MSuuhVRlEPd2ZW9IrHJbVXvMba3X/7cNSVBilpZURltJmxOhMn0NCbZ+J8XHZ1nLiuzcSJ"
    "TquaZeJ40GeT0GBYVpJQ9eNKcVATsp5VkouvuTIcRitbZjLGcBOApoyaMtZqndg1ZYy+Vg"
    "rje/IthzcmxPZ4ONMB5u5975/3MeaSSmeJZRItmydzXDK5epkitVGR/bH1V0dC1XUCSz7U"
    "x0nViySw6G28+kCeGtH1Ou+Q/MX39WQz9l9CT9BKzh5VQsX2Qrozi2PzBD16m/weVUz20a"
    "Z/kYHKO35EjDxDSFdllHkZ73J2qsjuiEK1YSiiNlyoG0OXWmb2fsgdPWeNj9mdDuVFiX3k"
    "or+bMWlH/OanpKrG0TbauDicceGNX3ESFgpoh2kGC6twpPSWt/4eGtBd16sL1rM0yKvSUO"
    "JyTZq7e8lIKbQPoScXhxQZOvSehJanF4lZcmFuffn04VYylutLtOzhgV196X+47t/8dOkp"
    "SDk6D+yu173+9RKBjbF4YD92+x9AZoSp5T/z4HsbsOOQ6cwpY2tHRbStnfwG8gpU5TuMml"
    "Wcat/OImzCcZFl8A4lNN7l8Qabi7BSe1kjIk1AfNdLsvwxFkA2GBIDu3apuZ0l2wTM9z3L"
    "ZxauUrEnIdYE5HdN2j3IKjL3DOFKjKRumB+EvQsy4yLDm5m/fTuU2Gj7ds3Q3/fu7WWMZb"
    "gos9TEpRroH3hdqOT36xUlv1/rkt86EqYIKBjkkhKNpbYoP/Jpab2luz4ZiunRVt6WCuMc"
    "ldMjXOcR1kmoOgm1JlHtGieh9vwTrlrZUe3gdntNWDs4KUu1LBTXXoqcoEd/3NXupbGA2r"
    "qqMBuEmxd+vBkyUef+fuU5ho3K2VHsrfSqs1yPLxCts1x3l+UafkklQkBxIR0ESrtSLIKz"
    "PLe5iEYkNJxpOJ9p2YzgmIyGNAmpR1SqOELiktpQqrOhpN1d+R9Uc91dOvFbJ37XyESuc+"
    "L30gi+89lCa7WtHDRrF7SZBzEaUmQrp0lmFl8QM6jroQxbqEIOr/UO0enUVY/J2t1ZTjjT"
    "FCYRt4A2hrUxXKslJ5GMcFokGeE0PxnhNKdKSEnVGZfSujMBao43OX/KBgINnLO6sk39be"
    "MDpDjWDtJdp50Lh44kE6qQY5ch2kDId1BsMcCtYrJdTgdNWkL2vV9G2orYcUUGoctPuosJ"
    "6WNTNjk25ckiWLBBrgZdsTMvLdrAZN8iXOUin6tcpLgKYc9UcDYlWc6T/CmfENPJppsnm2"
    "qP8EvyCAfuqHKGbUJMW7arvcJR19nmfuFofs5xorvWM5yYXzXzDd/5Iflsl/BdGLBf6Qn2"
    "A/slkqfC9CXMgpynSziaUhDvTHKBRyNqoDEntqrkMeFzOLTSNrBF7JUu4h30v96L7NcB0X"
    "7kWvmRdXWP1jadRtjIzqFa4cgwchKomuC/2L7LyF+VytgNERFtKG9iKMuFH96nBPQREQ39"
    "JvYaZ458OBHApgxXCMKMjH2Cuat2rrxOiUuu4GC2ctcZZLhFf7Q4zgE4JpUAdQRiu4L14t"
    "XJrpBdAdv17ZerDz306a73vv+570/4wNRVN+GSvEA9Hn/X637QG14LqUy94VX7e7S/p2Y2"
    "lPb3vBR/zxdb3vqZu6KV7fEJ77fX+HxcaDmYyKYV9sxBpVU41wvEwUnz5f79Ceo7SE6hhQ"
    "1eGqaqsIbNbeSn5K/eNbdBvw/sgVnYBm1gI+8MMkd5i+b+wcxLoTYcSvYXERw5nD8wY+YO"
    "7DaakikXi8GYDkEchcc7g7NJkJlFDWw/MHuGhXzCg9t51bnwHwMv7LdAc3Xm8wQ/y9+ATX"
    "lLPmTmHxYtJ8BU/gZqkcibwdmnDwwGGqk/8DipbOHsCwMzxh3vXFR5fa0fy5+xgF1G7dow"
    "HThsoA9Ird0BqVor7iS/T2ek7jC7b+LrmzLMfSnTQM5+JBy90OYsQSSkdlbp1VUqISqla5"
    "1VzbyCkgElcfclNOZVMZ/jp7Iph4FIk0JO+y/KLcouMqGMBr4y8EPXXpR0JociFT3JNVto"
    "duxIVtNUPr8kynGxffrsjxdqrzhaOZwjMhrkIiBDRsAzKYlyVEjDXATmpSurFMxRIQ1zoT"
    "AfeP9KYRxIaICLABz1q5bCOSmo4S7ENjz/dPlpnRTUcJeAu/Ikz5HX4BcBX5eQ0SVkahQ4"
    "rnMJGRUWvpOmjvdDcyPHyybtQsFj4bUuGD++nxAvlkmEnUjs9+Koc4iJYtMkJgIi+y6ojA"
    "rPQYx8U//wGgzJgjMT4qjTdER5p0/KCMEW3TRQv9jey9hGYHNXZB2/tWLrbCDRwADg9rft"
    "Lz+2NMT5yddRGZ19vUH2NaxZFU8SaG7e5LHHYFOk7GDUoW+S6Yw7kJIv+V4OeUg0WkcfaN"
    "h88EQWJRLQZGvQ6JBy5fGttlc+DhK8TDqG48DlbS9nS8Wg1d5AuIuZLdU+bBEccyc7C22b"
    "na8p4S4ftdlmQ52Rtd2QWD57yDOC8tlDKNFA9rD99KEnUmqPhd+8gdB2zs8LYCtb5YKr7i"
    "XpgVqqKhSxSks2EPMd1LBSuqAMFQ4ldNUYXTVG7yJat4uoPuS4SwQ1Jjmk2L+5jgzjsNk6"
    "Cpw/4Bt4pbLY5Uuhlhvuy80njRXKtW1apq12i87uuQ18VyUQ9ps3EN3dbMvlzClZBC8ion"
    "16JbnMQbXa9/8H+5lmZw=="
)
