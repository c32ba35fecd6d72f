from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "tenants" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" VARCHAR(40) NOT NULL UNIQUE,
    "created_at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE "tenants" IS 'One customer; on a cluster a namespace.';
CREATE TABLE IF NOT EXISTS "oauth_clients" (
    "id" VARCHAR(64) NOT NULL PRIMARY KEY,
    "name" VARCHAR(200) NOT NULL,
    "secret_sha256" VARCHAR(64) NOT NULL,
    "scopes" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "revoked_at" TIMESTAMPTZ,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "oauth_clients" IS 'A program that may ask for tokens. Its secret is kept as a digest only.';
CREATE TABLE IF NOT EXISTS "oauth_signing_keys" (
    "kid" VARCHAR(64) NOT NULL PRIMARY KEY,
    "private" BYTEA NOT NULL,
    "public" JSONB NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE "oauth_signing_keys" IS 'A key pair; the private part is encrypted with the key file of the home folder.';
CREATE TABLE IF NOT EXISTS "models" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" VARCHAR(40) NOT NULL,
    "description" TEXT NOT NULL,
    "versions" INT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_models_tenant__6e0683" UNIQUE ("tenant_id", "name")
);
COMMENT ON TABLE "models" IS 'A named line of versions.';
CREATE TABLE IF NOT EXISTS "aliases" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" VARCHAR(40) NOT NULL,
    "version" INT NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "model_id" UUID NOT NULL REFERENCES "models" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_aliases_model_i_dc37a9" UNIQUE ("model_id", "name")
);
COMMENT ON TABLE "aliases" IS 'A name such as `production` that points at one version of a model.';
CREATE TABLE IF NOT EXISTS "versions" (
    "id" UUID NOT NULL PRIMARY KEY,
    "number" INT NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "attempts" INT NOT NULL,
    "reason" TEXT,
    "advice" TEXT,
    "backend" VARCHAR(16),
    "fallback_because" TEXT,
    "plan_sha256" VARCHAR(64),
    "plan_size_bytes" BIGINT,
    "report" JSONB,
    "created_by" VARCHAR(100) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "ready_at" TIMESTAMPTZ,
    "model_id" UUID NOT NULL REFERENCES "models" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_versions_model_i_99a9ef" UNIQUE ("model_id", "number"),
    CONSTRAINT "uid_versions_model_i_5af605" UNIQUE ("model_id", "sha256")
);
CREATE INDEX IF NOT EXISTS "idx_versions_state_1e353f" ON "versions" ("state");
CREATE INDEX IF NOT EXISTS "idx_versions_sha256_aa7a73" ON "versions" ("sha256");
COMMENT ON COLUMN "versions"."state" IS 'UPLOADED: uploaded\nBUILDING: building\nREADY: ready\nFAILED: failed';
COMMENT ON TABLE "versions" IS 'One upload. `sha256` and `size_bytes` never change; the rest is filled in by the build.';
CREATE TABLE IF NOT EXISTS "endpoints" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" VARCHAR(40) NOT NULL,
    "generation" INT NOT NULL,
    "release" INT NOT NULL,
    "revisions" INT NOT NULL,
    "deleted_at" TIMESTAMPTZ,
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_endpoints_tenant__1a90e8" UNIQUE ("tenant_id", "name")
);
COMMENT ON TABLE "endpoints" IS 'One endpoint. `generation` grows with every change of what is wanted.';
CREATE TABLE IF NOT EXISTS "endpoint_revisions" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" VARCHAR(63) NOT NULL,
    "version_id" UUID NOT NULL,
    "model" VARCHAR(40) NOT NULL,
    "version" INT NOT NULL,
    "backend" VARCHAR(16) NOT NULL,
    "artifact_sha256" VARCHAR(64) NOT NULL,
    "artifact_size_bytes" BIGINT NOT NULL,
    "signature" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "endpoint_id" UUID NOT NULL REFERENCES "endpoints" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_endpoint_re_endpoin_6251df" UNIQUE ("endpoint_id", "name")
);
COMMENT ON TABLE "endpoint_revisions" IS 'A deployed version with its name; immutable.';
CREATE TABLE IF NOT EXISTS "releases" (
    "id" UUID NOT NULL PRIMARY KEY,
    "number" INT NOT NULL,
    "action" VARCHAR(16) NOT NULL,
    "traffic" JSONB NOT NULL,
    "scaling" JSONB NOT NULL,
    "container_concurrency" INT NOT NULL,
    "timeout_s" DOUBLE PRECISION NOT NULL,
    "created_by" VARCHAR(100) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "endpoint_id" UUID NOT NULL REFERENCES "endpoints" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_releases_endpoin_4eb35a" UNIQUE ("endpoint_id", "number")
);
COMMENT ON TABLE "releases" IS 'One change of an endpoint: where its traffic goes and how it scales; immutable.';
CREATE TABLE IF NOT EXISTS "aerich" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "version" VARCHAR(255) NOT NULL,
    "app" VARCHAR(100) NOT NULL,
    "content" JSONB NOT NULL
);"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        """


MODELS_STATE = (
    "eJztXW1z2rgW/isaf+rO5GYSQpJuemdnIKFd7qahQ0h3u+2OI2wBGozsteWk7G7++5Vk41"
    "fZYAKJYfWlDZKObB7JOud5dIT/1qb+EHnIfUCHA0QgodoF+FsjcIbYH/nKA6BBx0lV8TIK"
    "h5YwoKKZJ9oNPepCg3c4gpaHWJGJPMPFDsU24Y17BAHD96g9Q+47YBMAgWGxz8hlf/Fb8B"
    "xooEPemWkbrDdMxhXtfIL/9JFO7TGiE+Qy669/sGJMTPQdeYuPzlQfYWSZqe+OTd6BKNfp"
    "3BFld3fdq/eiJb+noW7Ylj8jcWtnTic2iZr7PjYPuQ2vGyOCXEiRmQCE+JYVQrcoCu6YFV"
    "DXR9GtmnGBiUbQtzis2n9HPjE4mkBcif/T/Cm8tUQzXb/pDfTbzkDXtdwo8FvIABwWGTbh"
    "I4j5eDJgnoJ+Y0BEqcYvcPlzq//m5OwHAYHt0bErKgVc2pMwhBQGpgL0GGXxfw7nywl05T"
    "gv2meQZje6HYwX8GwBUG0Gv+sWImM6YR+bRyUAf271BcbNI4GxzZ6r4Hm7CWsaoopDHUNr"
    "uIhDoUOaB/iK1VA8Q3KQ05YZqM3Q9HDxxzrALwpi5OM14iWgZ1/Q7BFrHg55CfSD7sfO7a"
    "D18RO/3Mzz/rQEfq1Bh9c0ROk8U/rmLDNMUSfg1+7gZ8A/gt97N53sAxO1G/yu8XuCPrV1"
    "Yj/q0EzMzkXpArUnvoaNponnixcMoTF9hK6p52rshl3UNl81a8yyJZDAsRgzDi6/zdhNXF"
    "oYFfqQsHKZD7HZ95vohmi8oidpAce1xy6cATqBFMzgHEBvCka2C6g9RcQ7BF3qAQ+xmU0B"
    "9sAUOZQ1Yf7CxGPkUeZFrHne02yw3w17ouIVUuqJdn99PGuusD6eNQvXR15VZ1f02itiCu"
    "zG0SreiLUqhFvUpf1R8JTo3gQ2Ts+qAJ0z3EPENzW9E3AbNu8jh/P/bns3BThHFlmXjw0K"
    "/gEW9ugOAl0CLMci5dcXgL752Poti/Xlda+dddi8g7aKu/6lcVdy1F30wCKCdUY9bbmBUQ"
    "9vty6DviODvMCkdJQDfUOvpg2kjDYpEdR3YJcoAjnCkkU4D+9720V4TH5BcwFyl90JJIYs"
    "AJOJVruJbFwaP9UufIwoQnpmMQhMZCEaRFOt28vWVUd7ejUqeMtGi31HNmCanA4mGhysRA"
    "m9wECfovnKvJC1BQ7E7jvG4BBjc/iBzQJW4gq6hojhzh02LcAjphPRhBuMsIWAPRKfJ/YM"
    "McJnmciV8cON9/8MnjitRhSniimuyRTDYc6D3cYEunM53AmjDOTDOQ3C7t1cpWQwt8NYOf"
    "LpDN1296bV/xJF1pFjv+7dfGhLYuv2l0GnlYmtHX9oYaMKqYktFKl5Bqlh3lY24UtIO5VP"
    "9n0g68dnK6wwx9k4NV5heJXijP9Ozlgfrb5lYegVxGZB3bKwDPJWaOVYjF8GeL4x4Qr5ve"
    "Papi92L+8Ddd2x+ZADyEVzBB6Q6/GdTRYmQTCzWWQrC7820aUk4vqqiWpeK7D5Q20aq03j"
    "uqyHW942Dp+SPL5dQuXwJiwyCOOdZN/sftl//2kcN8+bb0/Omm9ZE3GjUcl5Cejdm0EGUd"
    "8x13TuaUvl3Ovi3CVaYXj38agLD1JRKUzaKKGwXCiMPPTzdcKPi652E9elMmFyWtVMJQyg"
    "lweh0bCUBqHiy1WKQU1G+okQ4ELP5RWFlgUtpRFjLFyrkFGFjLVaJ7YdMiZvK4fxAH0viB"
    "szZi8HtfYKc3fQ+W1QrsqlBNFF86xUJ43VJVkey4J1WZrHFqP1ox0J1ZUOVwz1bobqq+Ru"
    "qF19tatfo3C9zrv6n0OtRx6xf46VoNKYPemEVjsn5DuWDc1DcB9kgd4DSEz2Af+FdLF9eg"
    "8IYr0CYwLJGAW78S5PwMYe3263WCiPCRjORcXQx5YpP1e0pess0Zj92ZAVMuwThWG6a5ZH"
    "fA131kTjZBtFLl6PXATjt3oQFhsowVQSha2RIq5ywyvlhkfrWR7kNh4Xztu03T7N3R8bjZ"
    "OT88bRydnb0+b5+enbo2gS56vKZnO7+4FP6NRQSGZ4cTpFhy0OuWDotVMrtMAvIrPiwqzd"
    "fbrusYjl6gIsevhG2nfd66vuzYeLwEGy0flG+p3W1ZcLwDnG/Bt53+pec5sRxFZ4zVdP0Y"
    "CUoplDq3DtpIni2tlngI21V00wii3Wmvk7lBe/DbEImg/YkCw6xXjHFgrv6nhzzoVIpZTc"
    "hMk+IL7tJZl9GYtDpg+RAX2v0tyW2e4D5i89yx0LkjXOdGbM9gH5bQftAWRrRu4S47Uikr"
    "ph/irRu4sc25WomcVZ6LHFs7LQa4b+a52sHc6rLDVpqz3UB45XOq1/XHJa/zh/Wl/thBWj"
    "v787YYJ/r3WGObZTJ5jrk5WYH2GVlqjSEmuyz1njtMQOMcXZEU2+zxlVHyzZ6ERhwwo7nQ"
    "uTQ3Afjrs4zzJ27UcvOEbMNyDn4Q4kz0185EddMKuEhM0R+b7mRnpVeY+7tzWp8h63l/cY"
    "P0kVNgXSRmpbIE+uLQRlWl4hogkLBWcezgdcNUc0ZaMgzUIaBCrrUOO0pSJKdSZKSgApfq"
    "D2VwBRqcAqFbhGFLnOqcALEtwPowWtnCtHzQ5W5Mx6KgxZ5XCfiRzLniMz+qUHQWwx9cRh"
    "vncAz2a+uIzsvF81YykVRglZQJFhRYZrteRktqdPVtmePinenj4p+N2Iiq4zbaV8ZwbUAj"
    "W5eMpGBns4Z9VvndSfG79C0lvtIN12IrJL8YhFQmtkXUlM9xDyzadexbitmX5V0ME+LSEv"
    "fYKCcUVIfVcS0JW84SBppH4PVL3kQKljldSxiJpXC/IzZirKL1fIkjLC8zWyZK7CbqK7VC"
    "XLzK+a6WT9cHtSLo/1483LUlUs3OSs8mrNKJUDkij/4wI8TpCLhK7F+hiNsAHGNvLEOfeJ"
    "/cgqgGdAC3mlctkW+l+uqIWn5JWmVitNTZ191zZJoKEhzycpIXVGQTLJPnC5zdPncFWqQh"
    "sSJoo0POclAmzh5/dTAfqEiYL+OXzNJpRdHLk8mjJ810XEkJyiKVy1C+1VelB2Bee01fap"
    "LpGI3ls2LAA4ZZUBdcTNtgXr2dHhtpAtge2qd9e+7oBP/c5l97YbTviI6opKXsQKcBDH9z"
    "uta3UcTB0HqyH6Su9Reo/Se5Tes3h3DnKxMdHkck9YebDszTpxs2VaTzG6G37lfGFsKH3K"
    "JTMwHMrnaSa1p/LFUklhtkFxsFKcbrAPkUrj9HSFSIW1Kn7NPK/LCCjsuaqAcNh8D9HdTh"
    "zIeCCSuapiCp8wURS+IoXPRQ0v6dWe/g+ht+gF"
)
