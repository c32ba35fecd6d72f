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
        ALTER TABLE "oauth_clients" ADD "redirect_uris" JSONB;
        ALTER TABLE "oauth_clients" ADD "auth_method" VARCHAR(32) NOT NULL DEFAULT 'client_secret_basic';
        ALTER TABLE "oauth_clients" ADD "jwks" JSONB;
        ALTER TABLE "oauth_clients" ALTER COLUMN "secret_sha256" DROP NOT NULL;
        ALTER TABLE "oauth_signing_keys" ADD "changed_at" TIMESTAMPTZ;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "oauth_clients" DROP COLUMN "redirect_uris";
        ALTER TABLE "oauth_clients" DROP COLUMN "auth_method";
        ALTER TABLE "oauth_clients" DROP COLUMN "jwks";
        ALTER TABLE "oauth_clients" ALTER COLUMN "secret_sha256" SET NOT NULL;
        ALTER TABLE "oauth_signing_keys" DROP COLUMN "changed_at";
        DROP TABLE IF EXISTS "fewer_rights";
        DROP TABLE IF EXISTS "oauth_codes";
        DROP TABLE IF EXISTS "oauth_grants";
        DROP TABLE IF EXISTS "oauth_refresh_tokens";
        DROP TABLE IF EXISTS "oauth_used_assertions";
        DROP TABLE IF EXISTS "oauth_access_tokens";
        DROP TABLE IF EXISTS "oauth_device_codes";
        DROP TABLE IF EXISTS "oauth_wrong_codes";"""


MODELS_STATE = (
    "eJztXW1z27gR/isYfel1RvU48ktSp9MZOVZStY6dcZyk1/ONDJGQxJgCVIK0orb578WCFN"
    "9JkZIoUTTy4S4hsSC1C2Lfnl38t/XkDAkn1jM5ek/mxLozxhObty7Qf1sUT4n4S8aINmrh"
    "2SxyH67ZeGhKqhGMHVjB4CG3LazZ4t4Im5yISzrhmmXMbINRoOiiGbE4o2g+YWiKF0hnyC"
    "ScI3uCKRqSEbMElUERZ1OCbEIxtS+Q5VDbmBKOLDJyuLg+IYaFmKkTC9nsiVB+BI/XmSae"
    "b9Bx5U9yqPFvhwxsNiZihCWe99vv4rJBdfKD8OU/Z0+DkUFMPcJpQ4cJ5PWBvZjJa5fGuE"
    "/t93Is/I7hQGOmM6XB+NnCnjDqExjUhqtjQomFbQJPsC0H+E0d0/TEsxSB+7LBEPctQzQ6"
    "GWHHBKkBtfsCwbXWYHBzez/43LsfDFoJiS4pQqz3LmmMwmoQr+outTG8wp/+3OmcnLzuHJ"
    "+cvzk7ff367M3xGzFWvm/y1uuf7ssE3HKnkjzrf+jf3MMLMbHk3PUIF35KGmxjl0oKI+C+"
    "kKk1SBPBly/9q3QBhEhiUnAcQz8CwrgslpzPE8byQiCN4JPZgThyOPvub927X07O/yh/Me"
    "P22JI3JYskewN2YjvJySvBBPiG0rnpUsQYqXskR8u/bIehu1zeOfy873/sfb7vfvwE0085"
    "/7cp2dS978Gdjry6iF39xWV/sLT9SdC3/v3fEPwT/ev2phcXkj/u/l8teCfs2GxA2XyA9T"
    "Ajl5eXl37CfjV6Cn0zcGGItac5tvRB4g7rsKyxyVvTzjR+BVM8ljICbsJ7Bgros9ikXean"
    "qafl3VWqibvjCqulocXmHDb5CbaRwRE3xpToQj+00Yg5VEfDBSgDpBtjwm3ERsiwOdIYez"
    "JImvLZeL6NVMyAT3Dn7Dz5cb6bYCtLz4SIYt+n+GHrfJH71TdT/GNgEjq2J+Kf56c5H+jX"
    "7p3c885PYx/djXenI2/laxbxfYlPkJdheYhkOwzfs06phuUhFgt+pCicHAYvCRrI3s7xcQ"
    "H+ilGZDJb3ohzWLAL8GJTX61HK3ej33XJf/ED9lpoLbx87EIXvbbkJfR+WOieEriHyEFkD"
    "5X0g8s006MICJj9mhphuDRlHKZWYay1m5dxu7Nwm3KAod5Osfc8sIkz7f5CFZHBfvAemGk"
    "lhaODDfPFmOkyuBlcD9WLhue+HhNeU+Pk6MYnt2mndz++6V73Wz725lpLx6X7lUia5TiX8"
    "spKBziP0SKbYMB/BCXwiMxtCjiabC9dQw5y8RXNDrBLHRhjNMOdzZumIUSL9RQ5jiZh+Lh"
    "zAVC+zkmdsObiZvflsf99Z7XG2/jJyqAZSQvJJ8J/Tv7ZqtxG1c1xNKewyfpBP0Di/vnNW"
    "xMsUo7K9oLOEnyn/X4K9y/HKyyzmZS43ocEE80kZRicI1+K4t1pfEMOVW5/N/ea69brBge"
    "nriD1GugW51+yjOxAxH0C6puvoht17JtIdSLOsQwNW2dcYhg4IjC1oZt8KM1abYDomR+hG"
    "PJq3EWW2MIIX/AIZMvNiMzQkCD5zJGxcwANARsZGNjFNLhMvHI2FOZy0r7c9+WrD+reWC0"
    "SA0cI6/l2hCGqJIgiEVNRyCSgaaCSeFjFZTrMtltOEwVJvXIEyULaUd3CG34lW6jsKkTTw"
    "Q3pVyPh/lWP8v0ox/k2jZNo0oFA8LsZjlfyvPvkvg3alOOxTNJHBRVbxefYiPk+sYRtbwi"
    "4tZdT4FA1kcCWBGJ3YqaHbv3++vcnwxH2KuG1jaDb6HzINnjDiD4DXOawFXkQMmCVHf/nY"
    "/Wec2e+uby/jlglMcBljvEXEz+Z2anY0e4FHqRq4yLezTdcnGNGnz4aN7Wz4aGhAe0Uwwv"
    "CHFk35UeQpdRf1CUUH35lB30IJAnkmFppgLkGfpkGf2nCVE8SJZhHbz9yJEdgDhbbhomGn"
    "5P0qfJBK/u1ijzvg5F+t9q9K0n8WMzPSfz3qTBMwj6jG8GjrzOvW7beb3t0FYnPxNg+0e/"
    "Wxf3MhdpSpQR/oVe9r7/r2E9zXxVZishmM+drvfYNLzwZUfMU3pEJu13kRrysejAg5Xedx"
    "Mbn72RpI9wRh47Li2/e+pDIk+mC4KMPpKFWdv4k6BRNUtjab+80NhiqM7jqGVJ2kXAijiz"
    "VNWN9rfd0xUpWUr7OcLfLMntYSc5RSSbnOUnbTuiUx9xEihbrPR91npdrXwd3f+3MdJmdX"
    "Iu8jK6tm2PuPZDrMRN97N9srQnJTOaxsqxGDIuw1+MhpExIflRIIC6NzZDXI76rpxyHAdV"
    "RA5yACOsrvzWZ9c/1eZUJtvSuPqgNVFunhWKTxlbsdzqoa2z3Z+d6STrfzg/Wea+e7q6ZM"
    "CYDDbTYl1lvEwIzXTPFvYom/wSvwGday0P3F6FRSvAZbcp6Fv9+KzRpl/rYPxVdWeTbrm2"
    "WV1wfG1dU0wvk99FvNUCThEau0CRO/dDLAkmLgNnEtGEESOkFSua1fA7DVBD8Tv/RLRusv"
    "ZEMFNhKqY2wJ3dVGzJKXJM0cpzWo3fbsG2ip77ZRZvv0hjdu96y+S6AUX0nfLEyzgWmwOg"
    "1Uk36pJTzdw0qa14S/ddJFKpf6oqVcI5ND2AjMMv4jAd/vmE6yDI/EuGLmhyaGFk5cwWDw"
    "SKEl8BxDo2CLOeOJUP9eW+Ej9LjUCrLpE+h7oNAIFJ8Lg0BYDjohU6KnZby2Pf0Ghge8yh"
    "oQzhiZMkRKGyJujWfJepgIUZ0zYrXBzYrvRJgZmj1wrFIWdpyugczuHBetsMstsUsELLjG"
    "ZiSlFDe7xi6gUDV2G9XYceZYWqlAXJimec28Tgut8NOcBX6aAg8H3adNsAmPKcXsJGUDt5"
    "VXnTdFgAmdN9nIBLgX6wjIaLl17ROoRV1oUbvHYwyMtfqQx2gbGGk+dD/vcGM2SsxrirnW"
    "kc66SLVEqFPhpBROqn7szMFJKSzPcvFsiuVJbgPb4atCn+0RJ/XObbKWHmV+53dgKxJalo"
    "OLV0VYTOjZaZBvxvwJjZh/vikSQ5yhaWgywwydRCjzmoeklk9sMN0DfaDhSBdHSGa5KRI/"
    "W5DIILs784ywmekeWQClGnCiwVuEEfDE0JbzUvJAv8+fYBr/j/dwaNrqZtBddrmzeicg2F"
    "y8tZjKb/ayZcBX3ql7Kn69Vvxa9eivtlPZnrtr1MyErzpNoGLWe4tZh7RPGf4nCDcSQ82W"
    "+66lIM2YqVC1rJTyjJHtbmtfJkK9vW6IuaG1drL1nHQKbD0nncytB25FeQ/2UpmFvxyv1v"
    "v6611hqrOXe7Mw1QrG9tLi3ipOqwowVQisUAjsikDsJgdsGRrQLhQK0yVBObClS7MspYBY"
    "EESv8LIviM0QLBsZJIJIrYueNGhaLGzdqSAOtuzoC3+gda83F+Zi40cji03fysveVJwQiF"
    "s9UCF5wQtsDgTlkNhzApUkc4ZmzDT5WzQGQKeMliGCtYn7ahqbEqg6YeKaZS7Es2cziz2L"
    "54g/N4wSISw2ZPpChtV0ohm6uLdwW70rsGddwwnZwTKZYdC8z6go2yNEjWN6Be1LFKK2ur"
    "WtQmV7d1oVvHMnSDh1lNAOmlkvbaYkl7NbskWIVrdmOwQ+u93ZOq9OX5++OTk/9Zuy+Vfy"
    "erEt+66psNYLi3AoAOeLEDN4kGt9zBFCFayss4yXjn9SxJeMmQTTDIMjRBYT8FDQNUqml7"
    "e31xFxXvZjDUhvvny87AlnUcpRDDLc+FpSPypIdIMg0Y3k6N4Q0Y3hZp0A0fVkagPw0AfK"
    "2Drngj5Y2V0j3XvtQhkgqS8L5n6+QTLEz85g02RzogcIYYO6PbYk1y5k9mWEp4a5kDhi0/"
    "QQzl5ORbw1XE87r7Gi57joaTfA5uaMGBVE2NHFtJo3yusuxt96iR0Y1v3UR5jqcm5C9RmD"
    "hQTD4Waoxb3qerl/fdLOSeuojIPKONTEKlIZh50s7moaSqiw7UuI9aiw7csQs2DhOt9ymE"
    "4FbWsu4YHYeLl7hn1RxRilaqJqLKQZS3Q+V0je5sQXm8POOgUYa8rVBkQYD5WzdQ4x3pGR"
    "+JQmeccKRIa0CwUcLZek1MECcPSMadCnUEv/P3CkTTCEAkfIm9LvoNC3OeKOPCuAWWjEII"
    "DIJSbcDfCRHylBx4qesUFQUD5qDfx3nK5xWOTqAeDK91tHEx+cZyD02jquX4hMeX51lu8e"
    "ASQH9Nmub0CPra1Zen7O8jD5utLQCy+rmtl5n4WsxE8U4sqw8kIDitl43CUYQBOpYhZeFx"
    "pOoRk2LK9szzKexSIQVywbTlQgVLMWM7Eq3No8GAIEI8Mky0TshE0JGGI6sdJqDbc6P6SS"
    "hWlIx1IRIDSfEDgews02i0XApBEolr1NNjQCn8plK59Ug6w1TT5vRSSZfWlQbC0yoLsBUR"
    "zXubDdjOZh7mepyE4vDelrfsHdy/5N9+5XP2npq//r25sPlylpy8tf73vdWJDL7ThXJl8c"
    "UKh88Qb5Yn9/Krq7+AQNxEFUUOCq8sQvsGtNYBaUlnqEUnmWdfMsE47Q3iz2L5zo3WUD1l"
    "a60R4dU8xudwMbkc6uq033e2EbP363jcdwu9g/hDrEtoUpPbPd1h4cmYyO4f9gUvtDkMYc"
    "U5eNNhAe47RuIdU9ZgPrXDfGhKd86NkqNKBQNnrDw7Lq+NJD3Fu/WWLnyOmxFNwvtqfOYX"
    "yZDkufxe4kmwmBGAH2HrQ+koh2w+3cfQGbGYWIRaRnEuDU5QXxV7fNQXIrreQJW0a/Xxrj"
    "7NYCaTGOlJYC3gdY3+3T7Sfw507n5OR15/jk/M3Z6evXZ2+O/cYCyVt5HQYu+x+giDLy4S"
    "6rKlc0O1IYk21BdlQ/ksoLDMqrf6X2ldpfcZ61aWCeofLde6vUPYZRxdsowmMAQTIBL+Vx"
    "ZjHdkeVVj975HW6Rmfgb1Lo9C9UL/ot0faZCUZtpKY5tTJmixn9rydtwV/Lmd1XVVqeqNn"
    "WyR4WYZu8rSfI30zgNUaimVylNPZyZvmZUPEqpouI11u7e2wdSlxqkpJcRplFuRj4Sx9fQ"
    "myNxPi6nOky+rkTihJdVzZA4LuvTjVBfLLlGqPxxpWxQHVDPEuTiaa6UgFHuyFSLMSgCUC"
    "ajMhlrtU9UbTKGXyvB43vyI8NujJHt8HCmPazd+94/7yOWSwLOEkESLYfHMS6ptnqZJrVh"
    "kt1Z68cHYqorAEs2qw/TVC8CYFFlvOpAnhqZ63WukPzqxXrSLfavQSQo12YPK6FitZDOzG"
    "RYP0KPbpHfo8zJPnLjP2QgccePiJJnSOlKRJmLeBerU2Z2RwZ0G4YmasOFvDF0DFNPr4es"
    "6DkrYszOdCguCt6HLnrVjHE/4jcPkioHh8co52J/zoUrv+JGWECgAqYpVtgaR0pvufR33w"
    "ytul+dv58lmZwHQ4nSNWnt7gSRUqgOoSc2h4QxtO+ahJarF4lecmNuffl0fSsslqsLtJzh"
    "gV5+6V9f9W8+XLgKUkjngd71ule/XiDwMRYP9H23fw00I2yY3jP3XtuAbZtMZ3YZXztMon"
    "zt+DeQ1aAqO2DUrOZUuw4WYR2OiyzD74BC8bs8v8HnIrRULWuIpAkcr3pLFj/GBJYNhkTD"
    "Di+1ttNom8DzXa/ymYnX6dgTI2sC56s22l2WrWm5pxCvZZHUjed7sd4tMmNWSjQzu3w7oN"
    "iofLtm3N919fYyxzJclNlqolQNjA+8KtTy+1VOy+9XquW3yoS5+5Twv9eQeZhOlXHXB5WY"
    "lLCCJSpYYk3ynDWGJfa8M49a6XlO/3Z7RaLTPztJjiyU6VySHKFHT+6ynmVsQbdV2aoLEp"
    "ALLwMJ2MS5V8E6x1C6mp7X3MqsCvd4eKlJhXusDvcYfEklkgJRIpUWSDrXJsFpsbxMjoYo"
    "FDuT7Hw2ymJEIzSKpXGWuobKOq5xlFI5SnV2lFQAJPuDam4AREGBFRS4Ri5ynaHASyf4zr"
    "MWWvm+sj+sXdBnHkTMkCLFfTqZmWxBdL/Tg3RsoS81vNZbZEynjnxMWr1fOeJUV5iEwgLK"
    "GVbOcK22nFh6+qRIevokOz19ktE3oqTqjFIp3RljakY0OXvJ+gQNXLOq10n9feM9gN5qx9"
    "KqgciWbYyEJbQG6iqFtIEsr6D9ns+3NeFXGRM0aQvZdQWF8BWx7VgpBl02DCtCpA7S2OQg"
    "jSeTYIsOMjVoTq1WkrSB8M8itsp5tq1ynrBVCH02LEanJC14kr3kY2QKfrg5/FBFhF9SRN"
    "gPR5VzbGNkyrPNjwqHQ2ebx4XD+JzD5O7KyHBsfdUsNnznpeTTQ8J3QcI+NxLsJfZLgKcC"
    "+BKmPubpAg4rtIh7SrWFRyNDQ2NGuOztMGFzOMaQa9gkPDdEXMH8q6PIXmcIFUeuVRxZ9X"
    "tobTNohLV0DFVOIEPLAFA1IX6x/ZCRtyuV8RtCJMpR3sRRFhs/vE8J1odIFOs38dcYtcXD"
    "iQXWlOZYFqFaSuVY5q6dSa8gcfEdHNxW5tiDlLDoe5PhDAZHqGJMHQFZVWw9Pz6qirM5bL"
    "u6/XJ53UOf7nrv+p/73oL3XV15Ey6JC4Zrx9/1uteqBLKQylQlkCreo+I9NfOhVLznpcR7"
    "+jqZzpgNBpIQXCs97BMb1F4R/TGC4YMnsigRBRKjIUQDZz65AMq2C+aDnpzuabRwG8I1Fh"
    "GLQPwTIjXy3FzK58SCgM2Y2ekhoG1OvqKgTjxqs9CPOlJyu+nn7JBQFqo52yYLKBpoj20f"
    "qvVESlm83vAGsrZzdlaAt2JUJnPlvXiVmNyq1oAUJSkbyPMKEEVSF5SJCgUUKoevcvjKp1"
    "vl0yWcj70Zx11iGdokwyj2bq4yhnEwbJUJnC3wLR9Y/lJMyw2jpNlG4xrguU1Bc7XbdKq3"
    "beC7KsFhb3gDuVtNkJRRuyQkMUSi8lslbZm9arWf/wdjPuGb"
)
