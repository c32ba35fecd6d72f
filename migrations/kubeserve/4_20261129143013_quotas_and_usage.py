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
        DROP TABLE IF EXISTS "usage_readings";
        DROP TABLE IF EXISTS "quotas";
        DROP TABLE IF EXISTS "usage_hours";"""


MODELS_STATE = (
    "eJztXWtz2zYW/SsYfdl0xutxZMfJOjs7I9tKq13H7jpy2rTuMBAJSRxRAAOQdtRu/vsCIM"
    "UnSJF62BSDfEgiAIekDiDg3nMvwL86M3+EGKIP6PC/PvFg5wz81cFwjvh/cnUHoANdN1Uj"
    "yjw4cmT7L6IVk81GzKPQ9HjpGDoM8SILMZParmcTLNr+MkUUAYIR8BCG2PsbA449tz0GLH"
    "s8RhSMKZkDb0oYbzXm/0HAxsyDjgPFJd4C7DvOmShfAIsATLxDcWOLmPzONp7s8B4+tr/4"
    "yPDIBPEqyu/0+x+82MYW+orY8qM7M8Y2cqwUo8FzGLYlriOrDW/hyqq7u8HlOwkQX2NkmM"
    "Tx5zgHchf8eXGE8n3bOhRQUTdBGFHoIStBu/gKYf8si4Ln5wUe9VH04FZcYKEx9B3ReQId"
    "PE5c1jGM65uh8aE/NIxOrmOXiEQ/hEUmwWJQ2NgTHP31LbhuTIIs7YgbXPzUu31xfPqD/L"
    "6EeRMqKyVFnW8SCD0YQCXfMcFzYiGH5dkdYE9NbgzIMMufswKnIWMRpcsmMafx+H8CUvnj"
    "8n/+3n158vrkzfHpyRveRD5nVPK6hPfB9VDSG9PJPELhBBmjhYcUrJ7bk0Jic9AW8fuPbv"
    "f4+HX36Pj0zauT169fvTmKiM5XlTF+PvhRkM4bcLLMYBbN9wLClkvkI1Qf1ylMi6jf2tAe"
    "+baYPaozGgM0nXk6KXId24R1CE1CNKV5Sk3XN+a249h1SE2DNK15WudoTuiCkzSqYyakQJ"
    "pW1QTAvxbzmOEiatSbBrJATW9Ar3AjxrOEnSsKRtCcPUJqGbka0iVKmzjwH/I9coPRkPC/"
    "ZLcMhOODTaTgP3YDh9GV9tHViEvj+1P4GLlpaUeLE8A9A+RJCi56Hy56l/3Ot1QPpAkXVf"
    "PuPFsCMbeCrfDZxJPk6FS73DHXpT538MwVnW7e2cD0uWU+R/Qtd4wBBKbDP3NXGALxCMyF"
    "Jso70jVwGzjH9bzi53CHO/8c+9gUbAJ5J/HXyb86ux22W/aQ5b85ni+mkKp5XrbPMM0fdO"
    "/mAf5j/Go4CE+8Kf94clRC8MfereT45OiHtHd2HdZ0ZVXGYKNIUGFAxWR7yWs8e44KrLYU"
    "MkO1FUIPl/9Zh/jnXg75F7RusLMIu7yE+uHgff/DsPf+Z3G7OWNfHMlfb9gXNV1ZusiUvj"
    "jNdFN0EfDLYPgTEB/BbzfX/ewPJmo3/K0jngn6HjEweTSglRidy9Ila5utzFtdQy4cGxWu"
    "IWHlqjWE8O83NUzZuOJK0gMuJRMKhXwKPTCHCwDZDIwJBR6ZIcwOwcBjgCE+sj1gMzBDrs"
    "eb8PXCsifc3OOriLPIrzRbvO6WV6LiGVK5Eu3//Hh6UmF+PD0pnB9FVZOXoueeEVNkd4+q"
    "rEa8VSHdsi6j3spficGmsPvqtA7ROWALGd/W8E7QbRJXpZL/+8PNdQHPESK75NumB/4HHJ"
    "ut5W09M9ElxAouUuv6ktAX73u/Zrm+uLo5zy7Y4gLn2u76Tu2utOD0wC2CdXo9jdxCrzdM"
    "e9qTTl5yUtrLzYqYN7djVygCOYdltTz4jlBkT/B/0OIpBMJmMLt1ifApXcEPvLf4d+Qd1l"
    "G7g4kGB5VcQhYAjBlaVPYLeVvgQpu+lfk0LrUf+CjgJVS6awibdOHyYQEebW8qmwjA2Hai"
    "FJwpmSPu8DkWoir/cOvX38BPnNVzFGfaU1zTUwy7OU/2uY0hXajpToAylEc5Kfs5SykzSU"
    "JbOVrTObvng+ve7afIso4W9qub6x/PFbb1+adhv5exrV1/5NhmHacmRminZgOnhq+2qgFf"
    "4rR76sHeBmf95WmFGeZl1k6NZxhRpX3G79NnbI5W33NsyApss6BulVkGRStU2RYTtwHMN6"
    "dCIf/sUmL5Mnr5OVDXgwRBAD2ZI/2AKBORTW4mQSDTYlXm1zYuqbC4fg8ScUWt5OYPHTTW"
    "QeOmzIc7DhuHv5I8v4UpUwnEWrlSjWN4y7lovmutubinkXpxb8rirtAKw6fP7P2oqRQmMV"
    "ooLBcKoxV6c53w/fJS+8nrSpkwOawaphIG1KuN0KhbSo3QeMtUVRvU4k4/lgJcuHKxItOy"
    "oKXSYoyFa20yapOxUfPErk3G5GPlOB6irwV2Ywb2dFR3nmHsDvu/DstVuZQgumyeleqUtn"
    "qd/Q1JyNNZ60d7YqprHa6Y6v001avkbuiovo7qN8hcb3JU/2Oo9agt9o+xElRqsycXoWr7"
    "hHzXIdA6BJ+DLNDPAGKLf7D/DLf0fwYY8asCcwrxBAXReCoSsG0mwu0ON+VtDEYLWSH3Tq"
    "v3Fe3oPis0Zn8+4oWc+0RhmO6a9SN+DyNrsnGyjXYuns+5CPqvuhEWA7Rgqjrno36KuM4N"
    "r5UbHs1neZJLT1FJ4do0dp/4DJWSdIo+nxxyxtBzp1Z0gnURWTUn5s7dz1c33GK5PAPLK9"
    "zj87vB1eXg+sezYIHkvXOPb/u9y09nQPgYi3v8rje4EpgxtJ3wns+eogE9D83dWqfeJCHa"
    "184f0QBZPcEoRqw18vcoL34XYhG0HmxTMekU8x0jNN/1+RY+F8K1UnITkDYwvuspmX8ZR1"
    "BmjJAJfVZrbKuwbeD8qUe560C8xp7ODKwNzO/aaA8oW9NyV4BbdK7RE1vvFLmEKtTM4iz0"
    "GLFRFnrD2H+unbWjRZ2pJo1qoT7wstJu/Zclu/Vf5nfr60hYMfvtjYRJh5ybRBO+WtTv+T"
    "xa72ZuToZivrel2rLWjvUYp3u4yT2sk1B1EmpDotoNTkLth6eTd9RR7aj6YEVYO3XKebW4"
    "9hJyCD6H/S53L00oeWTBpnERbl6E8WaRifooNjbZvBJiPkbUUeytXFVnue5fIFpnue4uyz"
    "X+JdUIAaVBOgiUl1IcBFXKbckB3RFC05mn88GumxGcwmhKs5QGhso6QkgaqR2lJjtKWu4q"
    "/kG1V+7Sid868btBLnKTE7+XTvBtaC10yn3lqNlBRZ/ZSJkhVbZyWsh1yAJZ0bke0rEV71"
    "MUj/UW2PO5L2+j2t1ZD6x0hVFCFtDOsHaGGzXlZJIRjqskIxwXJyMcF5wSUnPpTKP02pl9"
    "F5haTS4eshGghWNWn2zTfN/4GVIcG0fprtPOqWePuSW0Ro6dAtpCyrefaBfztmayXcEF2j"
    "SFPPV+Ge4rQs+nCoOu5H0WSZA+/XWT019nDoIUG4UraMnOvDy0hcm+VWyV02Jb5TRnqyD8"
    "YFOC50glnhQP+QxMJ5vq17hoRbiOIhzJUfUc2wxMe7blqnBSOttcF07m5+wnuyuV4cz4ap"
    "g2fBuG5NWS8G0csC9VgsPAfp2XB0fpSxBHOU9n4HGKKJJaLr/GeGybYEIQkyd5TMkjrwDM"
    "hA5ipRLxDq6/WkUOzwHROnKjdGR9ukdnm6IRNNU5VCVChlmQQNUG/WL7klE4K9XxGxIQ7S"
    "hv4ijziV88Tw3qExBN/Sb+GsEevzmiwpoyfUoRNhX7BAtn7UK8TonLzuDCbSW+Zyhk0XcO"
    "gQUEp1AZUscCtitaT48Od8VsCW2XN3fnV33w823/YvBhEA74yNWVlaKIF9iBHX/b713pDa"
    "+Vlky94VXrPVrvaZgPpfWe70XvuWO86ifi045a8YnrD1ZoPr5oaUx50zX2zImTVsV7vQRc"
    "iDR3w4tDMPAAH0ILJlQaLE9hjZszEKbkl++a2+C69/geO5CJ1YCB4B1knlSLHiFLgQ7ES8"
    "n+RJQAj5B7bLq+wQ7AHM0JXRgTeyTgAMyQ64ExoVJsosh1bBOye8xcSPkd7v3uUfc0vI14"
    "4LAFeCS+Y4EpfODfAVq8it/EPQiuxgfAnH8H8Qba+MkwR99j0dFA/hG344utePeFCTEmHj"
    "CJL76pt1LHCkes4E5xdm2cDhw3qCxtlYXclfOwYo4If2ybqVotCa8XS156VdxJfp/OSN1h"
    "dt80XG/qWO5LTAtt9j2x0SttzqKIU8pUR6+WLQlJlD7rbN3MK3FkQE3eQ4TmfF3OH+Gsbs"
    "phBGlTyOnpD+WmdSeZGKOJX5v4kc8WNcXkGLKmktywiWbHQrIcpvz+NVlOw55Ss99fqoPD"
    "0erxnMBokquQLDICHlBNlpMgTXMVmpdSVi2akyBNc6Uwn1D/anEcITTBVQhO6qq1eM4CNd"
    "2VrI1An64/rLNATXcNutce5AV4TX4V8vURMvoImQYFjpt8hIwMC99yVyf4ooWR42WTg0rB"
    "Yxq0rhg/Hk5REMtElGUS+4M46qOIiULLQhYQhuzb6GRUcR+A0Vf5IWgwQguCLRFHnecjyj"
    "u9kyIEW3XTQPNie9/HNgJGfKp6/VbJ1tkI0cIA4Pa37S9/bHmKi5Ovkxidfb1B9rWYs9Z8"
    "k0B78yb3PQabM8qezXQYWGjuEk+k5HN7r8B4yDRaZT7YcXNjhhY1EtB4a7Gii5SrwN46CI"
    "6PEwlelj0RrwPn1UHOloxBy72BohZixpd9sUVwQjx1Fto2L77iCHd+q802G+qMrO2GxIqt"
    "hyInqNh6iBEttB62nz40Q7X2WITNW0ht99WrCtzyVoXkyrqseSCnqjUOscojW8j5Ds6wkm"
    "tBHVM4RuhTY/SpMXoX0apdRM0xjnuI2ua0wCgOK1cZwzButsoELu7wDVQplXX5vZiWG+7L"
    "LTYa1ziubdNj2ho36ezethG/qxoMh81byO5utuUS7NU8BC8B0ZpeTVvmWVe1b/8HOUJEfw"
    "=="
)
