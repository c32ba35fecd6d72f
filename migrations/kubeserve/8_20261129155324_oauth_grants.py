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
        ALTER TABLE "oauth_clients" ADD "jwks" JSONB;
        ALTER TABLE "oauth_clients" ADD "auth_method" VARCHAR(32) NOT NULL DEFAULT 'client_secret_basic';
        ALTER TABLE "oauth_clients" ADD "redirect_uris" JSONB;
        ALTER TABLE "oauth_clients" ALTER COLUMN "secret_sha256" DROP NOT NULL;
        ALTER TABLE "oauth_signing_keys" ADD "changed_at" TIMESTAMPTZ;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "oauth_clients" DROP COLUMN "jwks";
        ALTER TABLE "oauth_clients" DROP COLUMN "auth_method";
        ALTER TABLE "oauth_clients" DROP COLUMN "redirect_uris";
        ALTER TABLE "oauth_clients" ALTER COLUMN "secret_sha256" SET NOT NULL;
        ALTER TABLE "oauth_signing_keys" DROP COLUMN "changed_at";
        DROP TABLE IF EXISTS "oauth_used_assertions";
        DROP TABLE IF EXISTS "oauth_device_codes";
        DROP TABLE IF EXISTS "fewer_rights";
        DROP TABLE IF EXISTS "oauth_codes";
        DROP TABLE IF EXISTS "oauth_wrong_codes";
        DROP TABLE IF EXISTS "oauth_access_tokens";
        DROP TABLE IF EXISTS "oauth_grants";
        DROP TABLE IF EXISTS "oauth_refresh_tokens";"""


MODELS_STATE = (
    "eJztXVtz2ziW/isovUxvldaVyJd4nK2tkmN1t2YTO+s4nemJu2SIhCREFMDmxYp6Nv99cU"
    "CKd0okdaNo5KE7IXFA6jsgzv3g362pOyQ2sZ7JSddxyMx07NYV+neL4RkRf8m63UYtbJqx"
    "m3DNwUNDkth0zAaUDXCUYGg7FtYccX+EDZuISzqxNYuaDuUMqD5i255zS7eRM8EOmhOLIM"
    "eiREcGdoixQJjp3tW5xdm4jUbcQpwRhDWNu8xpI6zrFrFtJK7r5Jlq5ASerHNNPJqy8S4f"
    "4jL6p0sGDh8TZ0Is8aivf4jLlOnkO7GX/zSngxElhh4HmCwG9gR3zi9gInl/4CxMee/dBF"
    "s/Swr4IcOBxg13xtJU5sKZcBaQid8LV8eEEUv8LD0COnMNw+fT8pL37uKCY7kkeGk9vKCT"
    "EXYNYB1Qe28SXmsNBrd3D4NPvYfBoJVi65IiwgT/ksYZLAnK/AU3w98HBmFjZyL+eXH2w3"
    "tOiIc3Ch74W/f+3a/d+58uzv4DHsjFuvIW3q1/pyNv/ZBTYAd7k0guhLBLdqYR7zMnG/Bg"
    "fAJr6l0ti/XyQgh2+FnsA+0xvMR/dl6fvTm7PL04uxRD5IsGV96sYED/9kGiG6JpU6aRNJ"
    "o3AhGHzkg2pAFRAlLdpzpZ/uUIAV6B3kP/Q+/TQ/fDR5h+Ztt/GhKq7kMP7nTk1UXi6k8X"
    "iaUeTIK+9B9+RfBP9K+7256Ek9vO2JJPDMc9/KsF74Rdhw8Ynw/EPhbBZHl5eekHbFejae"
    "TLgQtDrE3n2NIHqTu8w/PGpm/NOrPkFczwWDIJ0IT3DMVO77tDLIaNvk6YQ51FjnRKDVsn"
    "pYhPMKAeBSUFBVUXmcSyOUPYFuICLedBdyZh/RtkWvxZTGkheEeQM2SWlkMV58gQM19b1L"
    "ZdIjd82x1+I+LV/ygqe6ie/mav6Th3E/TGr98BfcFRX2HjbX9/73ROT990Xp1eXJ6fvXlz"
    "fvkq2AfTt1ZtiNf9X2BPjH2hy00yXwSFjCsq9UOK7Uj8Q0uhmMw/f/WqgNAXo3KlvryXEE"
    "z+J1EC5AhJA1HunJ8XQFmMykVZ3oujrFkE8BAaf1kdIE7ZQEWgJX6gfseMhb/FHYli4O/G"
    "Kb0gynVXCNVBlgj5/Ll/k83uCEmC165L9RMgPEIer+Cp/JpOPSZF4Ze/9EdazYqjm4b2Z2"
    "4RYV7/D1lIgPviPXC2Fh2qRp/9mY4T1fBquCwtPA+0meiaEj9fJwZxvB2+++ld96bX+nEw"
    "1fVnMifWPR1Pcn0q0RHrFNYRjB1Y4eDimup8wtEML5DOkQHOC2cilM4hGYnF1EaUIZvPCH"
    "IIw8y5QpYwdCmonRYZCWxB+6QW4gboow6fEmav0Gd38aQNnCtKwT2kgqsExMYCIipvy2tX"
    "+9Sq9rm8j0SJOgLvyiexSXvgZ4mn5d11osn2xhUWS0OLz23Y5MEJT20EEQOiC/kADneX6W"
    "i4AGGAdDomtoP4CFHHRhrnU5rh1N/CfBuJmAru+xiR8t6X9t77UZgykEdIGmjWbwvyCMQC"
    "j1J+k4CggfB2CvmmOit8U520b0p5TfLRb67XxCaEVWB5hKyB/D4S/uYqdFEGk+8mFdNV4H"
    "GcUrG51mxWxq3yfirv5wrTUgKfbVcuebLSqIRfVtLReYKeyAxT4wmMwCkxHXA5GnwuTEMN"
    "2+QtmlOxSlwHYWT6mWAyuwvsRRvGEjH9XBiAmVbmTp6xZedm/uaz/X1nvcXZ+q+RyzTgEp"
    "JPgv+c/XerdhtRe4WpKZldxg4KCBpn13fOi1iZYtSK2HHKzpT/LwHvcryyMotZmctNaDDB"
    "9qQM0CnCSoj7q/UFAa7M+nz0m2vW69QG0KuwPUG6Bb7X7KM7EjYfQbim6+rU6T0TaQ5kFm"
    "mEA9bp1xiGDgiMLahm3wk1VptgNiYn6BYyU9uIcUcowQv7ClEZeXE4GhIEnzkSOi7kA0BE"
    "xkEOMQxbBl5sNBbqcFq/3vbk6xXrry0vEQFGC+34D5VFUMssgpBJRTWXkKKBSuJZEZXlLF"
    "9jOUspLPXOK1AKypbiDioTOv4hvS6k/L9eofy/zlD+DVoybBpSKIyLYayC/7sP/kunXSmE"
    "A4omAlxkFV/kL+KL1Bp2sCX00lJKTUDRQIB34ojRiZPpuv3Hp7vbHEs8oEjqNlRz0P8hg9"
    "rHWO27AlrAIqbALBH96UP3n0mw372/u05qJjDBdQJ4i4ifbTuZ0dH8BR6nauAi3842XR9n"
    "RJ89Uwc7+emjkQHtNc4IGgwtGvJjQSsGmfUJRQffOGVvoQSBPBMLTbCsnBUfLZu24apNkE"
    "00izhB5A6qb/2k0DZcpE5G3G9HD3pkj+zLMlQYPsPzdEDbiazpVchQhQzr7u3dQ8zQ4kZO"
    "zLDH3FkqNyQuZnzaOguY1t2X2979FeJz8TaPrHvzoX97JbaIGRWbxk3vt977u49wXxcbhM"
    "FNGPNbv/cFLj1TKBNL7mKFbLWLIqZa0oMRsdQuUsXXchOskB6fImxcKH37JpuUoEQfDBdl"
    "kI5T1fmbqJMHQoV489FvrgdVJfZW0aPqxOVCib1Y04TKXunrTpCqSH6d+WyRZz6txOY4pe"
    "JynbnsxYJLJurHiFSq/upU/bz4fJVk/YdgruNEdm26fmxl1Sxh/wOZDXNT9v2b7TV+vJkc"
    "VrY/CWUI+11BVvQWSY7K7IYXrkZZQqJa4R1Fjo9y6ByFQ0fZvfnQN9fuVSrU1lv5qOJRpZ"
    "Eej0aaXLnbQVYV5h5Iz/9flzu4la3me/fWafl/wqiCSv4XKHWVFbDeSvubjQw6g/5LOh2N"
    "iIVGFp8hR0bN+UhGuiksH7EAYIq38gdcwXXZVZDxDBNhR8/YINBeL5l5UAtjNzH2GRefVE"
    "YOaK7BFhJUOsGhZi66rR/g4AjVckwGw4VDMlBdZQmnSBuE717M4kiEiekmp349VsF1HaNp"
    "EPRbW9pDl8LuURzRkEDBmYbTIqZBNVwG0CiJgjQNqWa6gxk1DFoG1DiRgjUN64zMuLUQIA"
    "3LqAkxIgVr1gYg87TtgSkMnHLbQJJQwevBu1FO93q/xx0jD1z8Zx9ejzqYGluPwm1qcftw"
    "ZpvcIdYrbW7vnctU6rtCM58R6y2Cc6aQZoh/C1MYe4dKmTjrfMQSdCoLveYW8mEbK9Uo13"
    "b7FfMqDpYPfbPiYPWptupqGrHtBzgWJUeQREeskyZc/NLJAEuKgXfWSjHJAuVQkso7oSWs"
    "iZrgZxJ0aJH5cVfSI8tHQnSMLQyH5/qH6Xpn7+Ksc2S2PfsGUuqbQ8tsn/7wxu2eu2/mL9"
    "lX0lUepdlANVhvSxyLp/xY09Rrgm+dZJHKXn7RXK6RyiF0BG7Rv2SQ9B3XSZ7ikRpXTP3Q"
    "xNDCqaIwGCxSiOrOMZznY3F3PBHi3z/95wQ9LaWC7M3s+EFhjUBRtVAIhOagEzIjelaO6b"
    "an30DxgFepUDSZIFOKSGlFxGvFVLJtRYyozjmoB4Y9Krp0oWZozsC1SmnYSboGgt15VbQR"
    "zspOOOljsDVuZsX181vhhBSqFc5GrXBs7lpaKUdclKZ5DSHOCq3wsxUL/CyjIBtknzbBBj"
    "ymFNhpygZuK687l0VKATqX+bUAcC/RuJ+zcus6IFCLutCi9k6xHNBKx4UlaBvoaT52O+94"
    "fTaKzRXZXGtPZ124WsLVWa8s60ZAqiqT1LF2NcjQWVs9k94GtoOrqvc6YGXSO68XeraX+V"
    "3QKL2Ia1kOLt6HwOJCzs7CeDO2p7IJpxcaP0FiiDs0qCYjzNCRk3G/x2dmw4INpoO+oFFP"
    "l42QjHIzJH42pFHLrCQ5s0m4aXgnC0JzBDh48C3CCDCh2nJeRh7Zt/kUpgn++A+Hs1W8CL"
    "oHlzerf1ChY4u3FlMFPVm3nPC1oifdFl2pL8p/rY7S221D8QP3s6yZCr/rMIHyWR/MZx2R"
    "PmXwTxFuxIaaLfd9c0GqMTMhankp4Zkg29/WvgyE+nvdENtUa+1l6zntFNh6Tju5Ww/cim"
    "MP+lKZhb8cr9Z79fWucqrzl3uzcqpVGttL83srP61qeaRcYIVcYDcEfDcrki0jA9qFXGG6"
    "JCiXbOnRLEspwBcE3iu87MTpcATLRjqJwFPrZU9SluULqzoV+MGWh+LAH2ja48+FbbHxy5"
    "4+b+VlfyqbEPBbPTLBeYEFNgaCckicOYFKkjlHJjcM+y0aQ0Kn9JYhgrWJ92oanxGoOuHi"
    "mmUsxLNN0+LP4jnizy1nRDCLD7m+kG41nWhUF/cW3olsKtmzru6EfGeZjDBo/mdUFPYYUe"
    "NA30HDUJVRu7u1rVxlBzdaVXrnXjLh1Im/ezg+aqkzpVHOb4IeI6rUzaV2OG+7t5Nya70E"
    "D4dK4HwRbAYLstLHHCNUzso683hp+KdZfM25QTDLUTgiZAkGDwVdo3h6fXf3PsbO636it+"
    "nt5w/XPWEsSj6KQdTzr6Xlo0qJblBKdCMRPVhGdGPQrFNCdD1BbUA+9JECW+dY0C9WftdI"
    "7167UARIysvCxzVgJ4zOYMPgc6KHGcKURY5ZkCcmiIlm1FjIPGLD8DOc/ZiKeGu4TjOPbN"
    "jJc7zsac/B5sWMOBNE2NXFtJo/yu8uZr/1AzswrPuxjzDT5dxBS/XlYRGRQ+VU18vDy5P2"
    "irCOijioiENNtCIVcdjL4t5NQwnltn0Jvh7ltn0ZbBYQVvmWo3TKaVtzDg/ExitsiTKCMU"
    "7VRNFYSDKW6HyuMnmb419sDpx1cjDWFNUGeBiPFdk6uxjvyUh8SpNVxwrEhrQLORwtj6TU"
    "wQJw9IxB2TTS0v9vNtImGFyBI+RPGXRQ6Ds2sl15VgC30IiDA9H2znmVDj7yPcPpuKNnbH"
    "JOLDyqQv53kq5xuci7TwBXtl8VSXx0loGQa1VMvwiZsvzqzN8DJpAc0WdbXYEeW1vT9IKY"
    "5XHiulbRiy6rmul5nwSvxE8U7MrR8iIDiul4tkcwgCZSxTS8LjScQiamll+2Z9FnsQjEFc"
    "uBExUI06yFKVaFV5sHQ4BgRA2yDMRO+IyAIqYTK6vWcKvzQyhZqIZsLAUBQvMJgeMhvGiz"
    "WARcKoFi2TtkQyVwWi5aOVUNsiqqfP6KSIN9TRm2FjmpuyFRMq9zeeL9ce5nmZmdfhgykP"
    "wC3ev+bff+9yBoGYj/93e3v1xnhC2vf3/odRNOLq/jXJl4cUih4sUbxIuD/ano7hIQNDAP"
    "YgcFripO/AK71oRqQWmuxyiVZVk3yzJlCB1MY/9sE727bMDaylba42OK6e2eYyPW2XW96v"
    "4gdOOnbw59iraL/VukQ2xbqNKm47X2sJHB2Rj+Dyp1MARp3DV02WgD4THO6hayu8dsoJ3r"
    "dEzsjA89X4SGFEpHb7hbVh1feox76xdL7BwreiyF94vtqXMYX6bD0iexO8lmQsBGSHsPWx"
    "/JjHbqde6+gs2Mgcci1jMJ8tTlBfFXr81BeivdyRO2nP1+Tcf5rQWyfBwZLQX8D7C+26fX"
    "T+Dvnc7p6ZvOq9OLy/OzN2/OL18FjQXSt1Z1GLju/wJFlLEPd1lVuabZkcox2VbKjupHsv"
    "MCg/LiX4l9JfbXnGdtUGzniHzv3jpxj2FU8TaK8BjIIJmAlfJkWlx3ZXnVk39+h1dkJv4G"
    "tW7PQvSC/SJNn5kQ1EZWiGMbU2aI8a8teRvuSmz+UFVtdapqUyd77DCn2f9K0vjmKqcRCt"
    "X0KqOph2vqFb3icUrlFa+xdPffPuS6lCAlrYwojTIzVmfiBBJ680ycD8upjhPXtZk40WVV"
    "s0wcD/psJTRgy0olVP64UjqoDlnPMsnFl1wZDqOVIzM1xrAIQKmMSmWs1T6xa5Ux+lopjB"
    "/I9xy9MUG2x8OZDrB2H3r/fIhpLql0llgm0XJ4MsclU1cv06Q2SrI/bf3VkajqKoElH+rj"
    "VNWLJLCoMl51IE+N1PU6V0j+5vt6sjX230JP0EqdPSqEitVCuqbBsX6CnrwivycZk32y6V"
    "9kIPOOnxAjzxDSlRllXsa7WJ0ysjui0G0YmqgNF/LG0KWGnl0PuaPnrPExu7OhuCiwj1z0"
    "qxmTdsRXPyVVDo6OUcbF4YwLj3/FlbCQQDlMM7SwCkdKb7n099CA7rpfXbCfpUFelYYSp2"
    "vS2t1LRkqhOoSe2BxSytChaxJanlwkesmNufX54/s7obHcXKHlDI/s+nP//U3/9pcrT0AK"
    "7jyy+1735vcrBDbG4pH93O2/B5oRpob/zIPXNmDHITPTKWNrR0mUrZ38BvIaVOU7jJrVnG"
    "rfziKsw3GRZfAOKRTe5fEGm4uwUrWsEZImIL7rLVn8GAMgGwyJhl271NrOom0C5vte5aaB"
    "q3TsSZA1AfldK+0eZBU19wziShpJ3TA/iPZuEZNbGd7M/PLtkGKj8u2aob/v6u1ljGW4KL"
    "PVxKka6B94Xajl9+sVLb9fq5bfKhImFVAwyIVKNBbSojzn09SqpLs+GYppbktvSwU+R+kU"
    "h+vMYZWEqpJQaxLVrnESas8/4aqVHdUObrfXhLWDk7LkyEJx7SXJCXry+S6rl8YW9NaVjd"
    "kg3Lzw482QiTr365XnGAqVs6PYW5lVZbkeXyBaZbnuLss1/JJKhIDiRCoIlHalGARneW5z"
    "EY1QKDjTcD7TshnBMRoFaRJST1Gp4giJUypDqc6GknJ35X9QzXV3qcRvlfhdIxO5zonfSy"
    "P43tcWWqtt5WBYu6DNPIipIUVKOXViGnxB9KCvhzRsoQs5vNZbRGczVz4mq7qzHHGmKUwi"
    "bgFlDCtjuFZbTiIZ4bRIMsJpfjLCaU6XkJKiM06lZGcC1Bxvcv6SDQgauGZVZ5v628YHSH"
    "GsHaS7Tju3HDoSmlCFHLsM0gZCvoNmiwFuFZPtciZo0hay73oZYStix7UyFLr8pLsYkTo2"
    "ZZNjU6YGwRYb5ErQFZV5adIGJvsW0VUu8nWVi5SuQtgztTibkSznSf6ST5CpZNPNk02VR/"
    "gleYQDd1Q5wzZBpizb1V7hqOtsc79wND/nONFd6xlOrK+a+Ybv/ZB8tkv4PgzYr/QE+4H9"
    "EslTYfoSZkHO0xUcTWkR70xyC49GVENjTmzZyWPC53Bopa1hg9grXcQ7mH+9F9nvA6L8yL"
    "XyI6vuHq1tOo2wlp1DtcKRoeUkUDXBf7F9l5G/K5WxGyIkylDexFAWGz+8TwnoIyQK+k3s"
    "Nc4c8XBigTaluZZFmJZRJ5i7a+fSq5S45A4OZit3nUGGW/Rng+McgGNUCVBHQLYrWC9ene"
    "wK2RWw3dx9vn7fQx/ve+/6n/r+gg9MXXkTLokL1NPj73vd96rgtZDIVAWvyt+j/D01s6GU"
    "v+el+Hu6JhUMa2W7e/yb7XVnh5l0MCWLEt4eMfoEPc2wDiHVJyhWw8h2h9+I5lyB08XgNr"
    "H9QjbHRjM8JZZ3Mdu7s8F8j+yRLVmE/BNEHcRNwuy36FYeJEplOR357h9xDmeQQUtYh09J"
    "6EvK8Qol/D9f44mh4r/lGr7mawqZu1dFDaFGxzKfdgqoB6edXO0Abq32CU1pXtbL+vaNS9"
    "o6K2at7sf+FRLf6CPr3d58vBM2wBUiZvI7KsKMywK8uMxlxWVSTVNZnQGynUJqcGeFGtxJ"
    "q8Gq9+6ue+9q3MxKKFrlIVpSKAfRBg4iX9KXWdoRkgaubWVGKzM6Nm4DM/q7ScVsFbgep2"
    "wg14+Ey0tMVrLZwLYzcO1Kn3eSVtVD15nTFnkWlmoVPscpFZfrzOWDez+Ph7clyrhUVbmq"
    "Kq+RL7lAVXnWnrB3X30994Ijd9V/tsWtX7lrtbK99eH99hqHvQsjBxMxtEJ7OzgUjYt/Az"
    "nkU35+eHeC+g4SK2gBPnbCpHc8HG4jv3vO6gZ3G8wLPnzQSYWqYvs+fEcmds6xHSNqg+/+"
    "L2Jx5HD+yDTTHdhtNCMzbi0GYzoEcoSmxHTQiFsyVmAR06Aath+ZbWJLPOHR7bzqXPiPgR"
    "f2R6A5dw0dTfCz+A1YF7fEQ8y2N5tYADPxG6hBIm/GBPUjA0Yj+QceJwx6OKZaw4xxB2nc"
    "hV+aF1z4mlyxgF3GMXPhHhsOKBxyWFUdlyniMrYI/2Orb8xhj5Vw+ZGIg6twNRWLG+pwKs"
    "yww0L8iS9vypiVSxrlIaq1RWkRAamddUraKpEQpVLHkpQTDRHs+bws7j6Fwrwq5nM8Ldsd"
    "ICBpUnXI/s/PtMpuMiGNAr4y8EPXXpTM+w5JKiZ912yj2XHOt1ym4vklUY6T7TO9/nih9s"
    "4xKYdzhEaBXARkKN57JiVRjhIpmIvAvHRllYI5SqRgLlSRA96/UhgHFArgIgBH/aqlcE4S"
    "KrgLaRuef7r8sk4SKrhLwF15kefQK/CLgK/i8iouX6PAcZ27vcuw8L0wdbwfmhs5Xg5pFw"
    "oeW97ogvHjhwnxYpnEshM9eLw46hxioljXiY5AkX0bHGIGz0GMfJf/8AYMyYIzHeKos3RE"
    "eadPWl/flRtZrV9s72V0/LG5a2mlwn8hRQMDgNuvgVl+bGmI86tgojSqDmaDOhjYsyoe+q"
    "uy9Osag00pZQdTHfo6mZncge45+UXiiUHr1AcaDi9fNA4SHVKuPH2r7Z30AgleOh0T24Hb"
    "Xs6WjEHLNn5wFzNbiH2o4x5zJ7eCfGuTrzltVTxqs76AKiNruyGxfO0hzwjK1x5CigZqD9"
    "tPH5qSUkWc/vAGQts5Py9SAH5+nl8ADveS6oHcqiqcN5GmbCDmOzhuQsqCMqpwSKEavKsG"
    "76pSeV2lcn2U4y6xqDbJUYr9m+uUYRwOW6cC5zN8A69Ulnb5UlTLDVto5iuNFU5W2fREld"
    "ptOrvXbeC7KoGwP7yB6O6m9QdnTsnzaiIkyqdXUpc5qFT78f+sHQFg"
)
