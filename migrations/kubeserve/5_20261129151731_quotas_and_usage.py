from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "usage_readings" (
    "endpoint_id" UUID NOT NULL PRIMARY KEY,
    "source" VARCHAR(64) NOT NULL,
    "counters" JSONB NOT NULL,
    "read_at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE "usage_readings" IS 'The counters of an endpoint that were added last; what is read next is added beyond them.';
        CREATE TABLE IF NOT EXISTS "quotas" (
    "models" INT,
    "storage_bytes" BIGINT,
    "endpoints" INT,
    "builds" INT,
    "replicas" INT,
    "cpu_millis" INT,
    "memory_mib" INT,
    "requests_per_s" INT,
    "tenant_id" UUID NOT NULL PRIMARY KEY REFERENCES "tenants" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "quotas" IS 'Where one tenant''s limits differ from those of the installation; null: they do not.';
        CREATE TABLE IF NOT EXISTS "usage_hours" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "endpoint_id" UUID NOT NULL,
    "name" VARCHAR(40) NOT NULL,
    "hour" TIMESTAMPTZ NOT NULL,
    "requests" BIGINT,
    "rows" BIGINT,
    "wakes" BIGINT NOT NULL,
    "starts" BIGINT NOT NULL,
    "busy_s" DOUBLE PRECISION,
    "starting_s" DOUBLE PRECISION NOT NULL,
    "ready_s" DOUBLE PRECISION NOT NULL,
    "active_s" DOUBLE PRECISION NOT NULL,
    "lasted_s" DOUBLE PRECISION NOT NULL,
    "cpu_s" DOUBLE PRECISION NOT NULL,
    "memory_gib_s" DOUBLE PRECISION NOT NULL,
    "spared_cpu_s" DOUBLE PRECISION NOT NULL,
    "spared_memory_gib_s" DOUBLE PRECISION NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_usage_hours_endpoin_c53fbd" UNIQUE ("endpoint_id", "hour")
);
CREATE INDEX IF NOT EXISTS "idx_usage_hours_tenant__a7b03b" ON "usage_hours" ("tenant_id", "hour");
COMMENT ON TABLE "usage_hours" IS 'One endpoint in one hour of UTC. It stays when the endpoint is deleted.';
        ALTER TABLE "versions" ADD "build_began_at" TIMESTAMPTZ;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "versions" DROP COLUMN "build_began_at";
        DROP TABLE IF EXISTS "usage_hours";
        DROP TABLE IF EXISTS "usage_readings";
        DROP TABLE IF EXISTS "quotas";"""


MODELS_STATE = (
    "eJztXVtz27gZ/SsYvXQ7o3oS23FSp9MZ2dbuqnXs1JGTvXiHgUhIQkUBXIK0ot3mvxcAKd"
    "5JEbrYFIN98EYAPoI8AIHz3cA/OzN/hBhyH9HRB8QYpqRzDv7sEDhH/B8FtV3QgY6TqhNl"
    "HhzZUoIF7ZhsOGKeC02Pl4+hzRAvshAzXex4QUedHhi5dMGvArwp9ABmgOEJQRbApAvG1C"
    "cWGC15HQIWniDmAToG2GPApHSG0ZHoxKIm7wWTyY6u5xP8u48Mj04Qb+fyq/76Gy/GxEJf"
    "EFv9dGbGGCPbSqGFLYNN4fGrM3EdWW14S0dWXU6h+70UELc8Mkxq+3OSE3KW3pSSSIo/mC"
    "idIIJc6CErASTxbTvEfFUU3Dkv8FwfRbdsxQUWGkPfFsMhpIMbics6hnFzOzQ+9IeG0ckN"
    "1UoigXZYZPLR5sOMicckGnP4xbARmXhT/vPs9GvQTwxH0Ep0+LF3d/lj7+67s9O/ig4pny"
    "vBJLoJa45l1Vd5CejB4CJyDGLQoWW5fM6pQJ4Q2Q3gq4IY8Xi+HyzkCYg5Hp4SwCuBFsJ7"
    "/OJFDXx5q1KAZV0aYdNFAg8DFsB8xWs8PEfFUKclM3hboejR6h+HiD5/QOuW2MtwHasAfz"
    "h41/8w7L17L7qbM/a7LfHrDfui5liWLjOl351lxim6CPg0GP4IxE/wy+1NX8JLmTdxZY9x"
    "u+EvHXFP0PeoQejC4KtLvOSuSleopUadIUQ2GPKEWAvH+0DGd4VJ5QCjLw7ml9tgjNOSep"
    "gbPcw+J5wGtvJjfH8/uCoe34RIZnB9H1tHQrBdgyp3xZNglJL4yyf9+lVw6vGskOAJqPLQ"
    "fk9dxKn9v9FSAjzg9wGJiQoAjXWY+/BKh4lqXBpvLy5cRHpIck7xx7eQjbyAp/U+XPau+h"
    "0J8giaswV0LSOFtqihxzRTErXNV82P59kSSDjts8KnEPecAb5Yr1yNSaVSKZ6stkbp8LaU"
    "HIHPaA6x/VkogTPkcGWQAJsuuGpoQobeggXms8T3AAQOZGxBXQtQgqS+yERbxC+/4ApgoZ"
    "a5lz620jxVFp/drzvrNc7OP8Y+McUoAdmT+HP6z07jFqJuhaopB1tFD4oEWqfXH7+qo2Xy"
    "VuVa0Kucnin/rwDvqr3WMutpmatFyJhCNlUBOie4EeLhbP2GANdqfTn67VXrLcwE6JsMe0"
    "Z0B+PesJfuQIa5VO3L6SnPxql7voW9/iOS6kARs040WMevoWhqING2Js2+5TTWnEIyQUfg"
    "hnfNuoBQj5PgJTsHWHpePApGCIjXHHCOS/gf4ZHxgIdsm0nHCwMTTofz/HrXF19PrH/teI"
    "jAACnOjn9TItoXeDIgngLVxkFHyTc3fE2by/4m4hb+9vfj45OT18cvTs7evDp9/frVmxdv"
    "eFt5v/mq1xUv+8Xgh8HNMP3uioJqAh4PUl3mEku0kCSe1qEsp+WM5TRHWNR3LE1QmrVz1f"
    "I7+KP/IlPpPUqItPBFelmL/L+sIP8vC8i/jRXdprGExrgextr5v3/nvzTaKSEcSbQR4Dqz"
    "+Kx8Ep/l5rAHXc5LlUhNJNFCgPdiiLGQV2i6/deH25sSTTySyHIbbHrgf8DGLEfiDwDrCm"
    "gFFikCs0L0u3e9n7JgX17fXmSZibjARQZ4F/HHZl6hd7R8gqelWjjJd7NMN8cYMSCP2INe"
    "efhookF3jTECR03ruvwICDf1IOpzDpfgvxSTt2AxpegRuWAKmQz6tDGZdUUpQ4Ah00Ve5L"
    "njLWAYFNoVhdgr8PvtsSPt/HuKNe6AnX+NWr/24v5zqV3i/usTf54L80jvGKFsk7Hu3H66"
    "6d+dA7rgd/NAelfvBjfnfEWZY/JArvof+9e370W9xZcSmzqizcdB/5MoesRoEcRJKKtdZ3"
    "W0rqwxIqF0nWWHKVjPNoh0zwm2ziu+e+1LbobIMkZLFaTTUk1+J5pkTNDe2nL022sM1TG6"
    "mxCpJo1yrRhdaJqcfW/0dmdEtVO+yePsokc622iY05J6lJs8yoFbVzHmPiWko+6ro+7LXO"
    "2bxN0Po2sdJrJrI+9TM6thsffv0HxUGn0fVnbXmOTmspliBL4IcIcggKY8hj7XqsAQlozO"
    "kdkgv21jGtPhOqLuKcJ1tEHnIAw6Wu8th769eq+mUDtyGeg8UM1ID5GRZmfubpDVObbPxP"
    "P/41MPdoppflC3juX/LlrVJPmfRNaqTGYNZtpfGLDxXBylZOHxGLlg7NI58KQDnI6lTxyL"
    "6cMngLjEW/kA56J8CSwqwvvzKsKe+tjC096sPfNZNYz9ONnnlL9SBeGcpQpbLLBeaWu+iS"
    "5U245fnr4+fXNydhppa1FJlZK2UsgSrlqPU8sJMkZLDxWgWqUJ50RbhO+TqMUJDxOxHIrD"
    "1Kqa8zol0yLodza1Rz4Wq0d9RGMBDWceThc5NjahCqBJEQ1pHlLT8Y05tm2sAmpaSMOah3"
    "WO5tRdcpBGKjQhJaRhLVoAZMg1Mxyu4KgtA1lBDW8A71bh2evtHrcEDSn/8xRWjyaoGjv3"
    "wm2rcYdwFqvcMdaVOndwzypJ9z5n5nPkvuWKMYDAtPlvrgpDIG6BOdAsy6evJ6fD0BuuIT"
    "/vGUkNirXdffK79oOVQ98uP1hzEqcug5Tv4j3kMsoHr9xDKH++qREkj9eP0XDpxIXzOJEJ"
    "shkYUxd4dIYIOwIDj1WkLvFdxF4WRnXs6ro73omqDuBv5fq4/5P39XF9+01ablqiTaMQ33"
    "2qDTOpU2QlL88RjyV0jvgWOeKad30rvEsH6m/5/jVpkHWgvg6LahiyBx2o/4GPFn9GPmCd"
    "YnUw0aBbSyVkgYAhDs6sqxfytsCB2H0r42kcFz/yWcBLXKmuIWK6S5ELJ4+2l02EwBjbUQ"
    "jOlM4RV/hsC7lF+uHOr7+FnjhTUxRnWlPcUFMMhzkP9gUm0F0Ww50QykAexaQc5ipVGEkS"
    "cuVoT+foXgxuenc/R8w62tivb29+uCjg1hc/D/u97JHv/sjGpopSE0topWYLpYbvtkUTvk"
    "Jp94onexuUdZ2zonXGw7fV92wMWQk3C+rW0TIoWqHaXEx0A5hvToWF/LPjUsuX3svPgXU9"
    "CBAE0JMx0o/IFR/eFTQJAhkWW0S/dnHJwgxNWS1qJTZbJWhqp3G7nMbPvR7u2W0cviV5fE"
    "tDphISG8VKNQ7hHcei+Y614eaeltSbe1M29wJbYXj3mdwPRUthUkYbCqsNhdEOvb2d8N3q"
    "UoeJ61ozYXJaNcxKGEBfcprHaliqD/OIUqbqclBLnGcrDXDhzsXKqGVJyzVnemjKqCljo9"
    "aJfVPG5G3lMB6iLyW8MSP2dFB3nmHuDvs/DautcimD6Kp51lRXyNVV8huSIk/H1l8cCFXX"
    "drhyqA+TquuzY5pA1rVXvyVe/Y+hraeYsX+MLUGVnD25CdXLE/Idm0LrCHwOokA/A0gs/g"
    "P/Eab0fwZEfrEi+M5m4I13RQA2ZsLdbnMqjwkYLWWFzJ0uzivaUz9rbMy+PLaQY58oDMNd"
    "s3rEr6FnTTZOttHKxfMpF/7q2MmaJCwW0AbTonM+1EPEdWy4Umx4tJ7lQa48RSUl16a5+8"
    "RnqFSEU6w/S/QZQis6wb6ILMWFuXP//vqWM5arc7C6wgO5uB9cXw1ufjgPNkg+Og/krt+7"
    "+vlcfgF7+UC+7w2uhcwYYjvs89lDNKDnobmjdOpNUkTr2vkjGiBTMxjFEhvN/AOKi9+HsQ"
    "haj9gsWHTK8Y4lNN7qeAudCxGlkNyESBsQ3/eSzB/GFpAZI2RCnynN7SLZNmD+1LPcsSHZ"
    "IKczI9YG5PdN2gPINmTuBcItOtfoidm7ixzqFlgzy6PQY4mtotAbhv5zZdaqfT0wLdVC+4"
    "D+eqD2hKXabe4Jkwo5p0QTvluoj3xeWmczNydCMT/a0tqyUcZ6LKdHuMkjrINQdRBqQ7za"
    "DQ5C7Yenk3eKvdpRdXeNWzt1ynk9v/ZK5Ah8DsddZi9NXLpgQdK4cDcvQ3+ziERdiMQmzC"
    "sh4XOk2Iu9k6vqKNfDc0TrKNf9RbnGb5KCCygtpJ1AeVOKjWCR5bbigO5IQsOZh/MRq0YE"
    "p2Q0pFlIA6KyiSEkLakVpSYrStrcVf5CtdfcpQO/deB3g1TkJgd+r5Tgu5AtdKp15ahZt6"
    "bObKRoSJ1UTgs5Nl0iKzrXQyq24nuK4rbeAjyf+7KbouxONeFCVRglzAJaGdbKcKOWnEww"
    "wkmdYIST8mCEk5JTQhS3zrSU3juz3wIrtiaXT9lIoIVzVp9s03zd+BlCHBsH6b7Dzl0Pjz"
    "kT2iDGrkC0hZDvPtAuxm3DYLuSC7RpCXnqfBmuK0LPdwsIXcX3LJJC+vTXbU5/ndkIusQo"
    "3UErMvPyoi0M9q3DVc7KucpZjqsg8ohdSuaoyHhSPuUzYjrYVH/GRVuEVSzCkTlKTbHNiG"
    "nNttoqnDSdbW8XTsbnHCa6ay3DmfnVMNvwXeiSLzYJ38UO+0pLcOjYV/l4cBS+BEkU83QO"
    "FlPkImnL5dcYj7EJJhQxeZLHlC54BWAmtBGrNBHv4frrrcjhOSDajtwoO7I+3aOzS6MRNI"
    "tjqCoMGWZJAFUb7Be7NxmFq5KK3pAQ0YryNooyX/jF/ShAnxDR0G+jr1Hi8c6RK9iU6bsu"
    "ImZBnmDpql0qr0Pisiu4UFup7xkFZtHvbQpLAE5JZUAdC7F9wXr24mhfyFbAdnV7f3HdB+"
    "/v+peDD4NwwkeqrqwURbwABzz+rt+71gmvtbZMnfCq7T3a3tMwHUrbe74Ve88941U/Ut/t"
    "FFt84vruGpuPL1oaU950g5w5cdKq+K6XEBdGmvvh5REYeIBPoSUTVhoiT2GNmzMQhuRXZ8"
    "1tcd0H8kBsyMRuwEDwDTJPWosWkKWEuuKjZH8glwKP0gdiOr7BumCO5tRdGhM8EuIAzJDj"
    "gTF1pbHJRY6NTcgeCHOgy3t48I9fHJ+F3YgbDluABfVtC0zhI38GaPEq3onTDa7GJ8CcP4"
    "P4Am18Z4RLPxAx0ED+J7rjm6349oUJCaEeMKkvntRba8cKZ6zAruDs2jgcOG5Q27RV5XIv"
    "XIcL1ojwZdvOqtUS93q5yUvvinuJ79MRqXuM7puG+40Kc1/JtJCzHwhHr5Wc5SIOKSs6er"
    "VqS0hK6bPONo28EkcGKOIeSmjMN8V8AWeqIYeRSJtcTk9/KLerusjEMhr4jYEf+WypaEyO"
    "RTa0JDdsodmzIVlOU96/Isppsae02R8u1MHhaGo4J2Q0yHVAFhEBj0gR5aSQhrkOzCtTlh"
    "LMSSENcy03n7D+KWEcSWiA6wCctKsq4ZwV1HDXYhuBfVp9WmcFNdwKcG88yUvkNfh1wNdH"
    "yOgjZBrkOG7yETLSLXzHVZ3gQUs9x6sm3VrOYzdoXdN/PJyiwJeJXJYJ7A/8qAvhE4WWhS"
    "wgiOzb6GRU0Q8g6Iv8ETQYoSUllvCjzvMe5b32VOCCrZs00Dzf3reRRsCo7xZ9fqsidTaS"
    "aKEDcPdp+6uXLQ9xefB1UkZHX28RfS3WrA2/JNDeuMlD98HmSNmzUYeBheYO9URIPud7Je"
    "Qh02gdfcBxc2OGlgoBaLy12NFFyFXAt7rB8XEiwMvCE/E5cF4dxGxJH7TMDRS1kDC+7YsU"
    "wQn1iqPQdnnxNUe48662SzbUEVm7dYmVs4cyJaicPcQSLWQPuw8fmiGlHIuweQuhPX71qg"
    "a2vFUpuLIuSw/kUrXBIVZ5yRZivoczrOReoEKFYwl9aow+NUZnEa3LImoOOe4hF5vTElIc"
    "Vq4jwzButo4Clw/4FlapInb5rVDLLfNyy0njBse1bXtMW+MWnf1zG/FeKSAcNm8huvtJy6"
    "XEUzwELyGibXqKXOZZd7Wv/welqOio"
)
