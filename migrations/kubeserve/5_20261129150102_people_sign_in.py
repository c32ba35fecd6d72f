from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "sign_in_attempts" (
    "key_sha256" VARCHAR(64) NOT NULL PRIMARY KEY,
    "count" INT NOT NULL,
    "since" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE "sign_in_attempts" IS 'Passwords that were tried lately and were wrong, for one account, address or device.';
        CREATE TABLE IF NOT EXISTS "external_identities" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "issuer" VARCHAR(500) NOT NULL,
    "subject" VARCHAR(255) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_external_id_issuer_ae354a" UNIQUE ("issuer", "subject")
);
COMMENT ON TABLE "external_identities" IS 'A person as an external OpenID provider names them.';
        ALTER TABLE "invitations" ALTER COLUMN "email" DROP NOT NULL;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "invitations" ALTER COLUMN "email" SET NOT NULL;
        DROP TABLE IF EXISTS "sign_in_attempts";
        DROP TABLE IF EXISTS "external_identities";"""


MODELS_STATE = (
    "eJztXf1zmzga/lc0/mlvxpdpnY/20pubcRJ313dp0knSdrvtDpFBsbXBkheJuL69/u8nCQ"
    "wYBAZ/xJjqlzaW9Ap4JPQ+74fEX61Hf4AY8p7QQZdzNJ5w1joFf7UIHCPxh666DVpwMlmo"
    "lGUcDlwlwvCQWJhYMCkwYNyDNhf1D9BlSBQ5iNkennBMiZR6DxmbUs9hgI8gB1PkIcA9jB"
    "zgQo7cGYDECUqnHiXDNnigHqAEAWjb1Ce8DaDjeIgxIMod9IRtdCCv7FBbXBqT4TYv4hP8"
    "p48sToeIj5AnLvXld1GMiYO+ITb/OXm0HjBynUWA0cxiI9g5PpEdqXqLzyaq7nwEvbdKQj"
    "7IwLKp649JVmoy4yNKIjHxvLJ0iAjyxGM5CdCJ77rhOM2LgnsXBdzzUXTTTlzgoAfou3Lo"
    "pHRwJ3FZy7Kuru+s296dZbUywzqXSAxCWGRTIqcEJuGEG8NvlovIkI/Ez5Oj78F1YjyCVv"
    "KCH7s35790b346OfqbvCAV8yqYeFdhTUdVfVddQA6DTtQoxLCr4cwi3idcD3jUPoU1Dkqr"
    "Yj0viMGOX4vnQHsob+LvnZdHr45eH54cvRZN1I1GJa8KBqB/dafQjdFkmNgoi+aFQITjMd"
    "JDGgmlIHVCqYP5H3sIcAF6d/13vdu77rv3svsxY3+6CqruXU/WdFTpLFX600lqqkedgE/9"
    "u1+A/Al+u77qKTgp40NPXTFud/dbS94T9Dm1CJ1aYh1LYDIvnhd9l8vVw2PizZEFA2g/Tq"
    "HnWJka2qF5bbNV4844XQIJHKpBkmjK+4zVTu8bRx6Bbt9BhGM+y9FOmWbLtBQKBSwcSGBU"
    "UlF1wQR5jBIAmVAXYN4PuJ4g0r8AE48+iS49IO9R6hk0zuqhFfvQqJkvLcyYj9SCz/zBH0"
    "jc+u9ldQ92su/sGR7mLoJB++UrYKg46qtsguXvH53O4eGrzovDk9fHR69eHb9+Ea2D2aqi"
    "BfGs/7NcExfe0Pkima+C4oErq/Vjic1o/F1roQWdf/ziRQmlL1rlan1Vl1JM4StRAeSESA"
    "NR7hwfl0BZtMpFWdUtomx7SOIhGH9VDrAo2UAi0BIP6FwTdxYucXtCDMLVOMMLkqPuC6Vq"
    "6VTIhw/9C/1wJ0RSY+372DmQgns4xgVjqt6mw2CQkvCrJ/2epVmL6GahfUs9JMzr/6CZAr"
    "gv7gPqWXRMjT6EPe0nqnFpPC09OI3YTHJOicd3kIt4sMJ3b8+7F73W951R11vEWPDQOsY6"
    "r11GVFnQrjQ7HXh0KnoJPByYAemOQQ7ARHozfOKAwUwySuDgIWIc0AeAOQM2pY9Y4zHZQH"
    "9rOEews4JvZEHIuEYqu0ZCF1cVyBMiDeRMm4I8AbHAoxIpjQQaCG+nFPHvFBD/Tpb4G0r6"
    "I1JShhBZYcgTYg0c7z0Z31xfZHKA0bcJFt2tMMaLkmaYaz3MxrQ0pqUxLQtMSwW83q6cj0"
    "mhUSmfrGK84wDcozHE7r00Ah/RRBiDBLh0KkxDGzL0BkyxmCU+BxBMwjC7Cp1Le5HJtkh0"
    "PxUGoNbK3Mo11rI8qyw+m193llucrX8++MSWowTUleQ/R/9q1W4haheYmmqwq9hBkUDj7P"
    "rOcRkrU7QqcMxn7Ez1fwV45+2NlVnOypwvQtYIslEVoDOCKyEeztYfCHBj1uej31yz3sFM"
    "gr7KsKdENzDuNXvp9mSY9yDTqOs7mPeekDIHtBmwcYNl/BrKphaSbUvS7GtBY+0RJEN0AK"
    "5k2k8bEMoFCZ6xU4BV5IVTMEBAvuZAcFwi/pERGQ44cl2mAi8MDAUdzvLrTXe+nFh/aXFE"
    "YICUYMe/mxykWuYgxYNUlrnEEg0kiUdlKMtRPmM5yhCW6hrLEJR6aa5ScQeTZrb4Ir0sRf"
    "5fFpD/lxry7+KKYdNYwmBcDmMT/N9+8F857SohHEk0EeAys/gkfxKfZOYwh57gpZVITSTR"
    "QIC34ohxENe6bv99e32VY4lHEmlug20O/gdczPZxK1UBtBKLBQIzR/Snd91f02CfX16fpZ"
    "mJ7OAsBbyHxGMzro2O5k/wRakGTvLNLNP1cUb0yRPmkOenjyYatJc4I3DUtGzIj0T7XFXW"
    "5xjOwB8UkzdgOqLoCXlgBNW2JPHSkse2LGUIMGR7iEeRO7m1KUwKbctCzDVxvy1d6Cv5Sj"
    "7NQ4XxNQJPh9zTq+vehAxNyLDu3t5niBl61M2JGfaIP87khiyqmVC2zgqmdf3pqndzCuhU"
    "3M1X0r141786FUvEGItF46L3sXd5/V7WO2KBcOlEtvnY732SRU8YTYPkisq22kkZUy3twU"
    "hYaieZnW1qEVwhPT4j2LhQ+uZNNqVBkWMNZlWQXpSq8ztRJw+ECfHmo99cD6pJ7F2FR9Vp"
    "lEsl9kLbFpR9pbc7JWoi+XUeZw890ceVhnlR0oxynUc5iAVXTNRfEDKp+sWp+nnx+VWS9e"
    "+ivvYT2aXp+gszq2YJ++/QeJCbsh9Wtpf48caqWdVjijABEATQFBxElG6lPWoono1qC4k5"
    "Z2gvcnyMQ2cvHDrG7s2Hvrl2r6FQG4oYmM2jhpHuIyNNz9zNIGs25u6I54dTWs/z4/leyP"
    "ODWVNl34DPOB0j7w2QR4oC2xW/kSf+UueHTqDuKOwKciYmXoMluYjh73abZ40if5vP3zes"
    "PB/6ZrHy+uR+nQdZ63odch6ltBfqECqeb2QF+e/lPUYeHXpwHOdiQfao0qU4fUSEHYA+Zw"
    "XZV0KLuDOtj2lT/W5YExWdIdjI9XH7hweaEwe2m3ddt7SfWiG++cQfZtMJ0uyGyU9zjyVM"
    "mvsaae6Gd/0ovMukDZi0AePzNk7aOjtpd2YK3orREs8oBqyVc4p83KBdyiRkgYAlz/4oax"
    "eKtmACsfdG7ZWZePhJzAJR4ilzDRHbm8nMPHU6n2oiBR6wi+S5IfL3iI6RMPhcB3k6+3Dj"
    "/a/zPb5qhuKjsRRXtBTDYc6CfYYJ9GZ6uBNCKcgHMx7Q7v1cpbTpHiFXjnS6QPesf9W9+R"
    "wx60ixX15f/Xym4dZnn+963fSpdf7AxXYVoyaWMEbNGkaN0La6CV9gtHP9ZG+CsW4yaIzN"
    "uP+++q6LIcvhZkHdMloGZavyH5+UlwHMt0fSQ34/8ajjq+jlfeBdn1A55ABydS7yE/Lkt4"
    "MkTYJgTAWz1dGvTXSpzRdV1bJWYbNWuqgJGjcraLzr9XDLYePwLcnim5vznJAwn5jWfGLa"
    "nzgrKvdFSaPc66LcNb7C8O7jUVcapKKnMCljHIXFjsJIQ6/vJ3w372o/cV3qJkxOq5p5CQ"
    "Poc/YWzYeleGuRbFWJgzryzBzlgAs1F8ujljktl+wwMpTRUMZarRPbpozJ28pgfIe+5fDG"
    "lNjzQd3awdy96/16V+yVW3CIzpunXXVarq7J8lhG1nVpHltk6y/2hKobP1w+1PtJ1c1Otj"
    "qQdRPVb0hU/2Po69Ez9o+xJ6iQsyeVULl9Qv7EpdA5APdBFug9gMQRP/B/kaXCp/eAqFMx"
    "g0+FBNF4TyZgy1Mzseuqz77Pv/c+8LHr6PcVbek6S3zMvjpEQWCfKAzTXdN2xJcwsqYaJ9"
    "sY42J3xoU/PwSjJAmLBYzDVMPCVkgRN7nhlXLDo/UsC3LR6SaLck2au89y0EmpdIrlJ5vs"
    "ILWiFehF5FRcmFsf3l9eC8ZycQrmPXwlZx/6lxf9q59PAwUpRucruel1Lz6fqo94zb6St9"
    "3+pZR5gNgNr7nzFA3IORpPeBVbOylibO30OyDGmlVzGMUSTTgQ+7mdRdB5wrZm0cnHO5Yw"
    "eFfHW9pciFRKyU2INAHxbS/J4mFcCZk1QDb0WaW5rZNtAubPPcsnLiQr7OlMiTUB+W2T9g"
    "CyFZm7RnglRlI3zHfC3j00oZ7Gm5mfhR5LrJWFXjP0d7Wzttq3DBalGugfMN8yMJGwhXbr"
    "7GIW9vdKe5hjObODuT5ZidkRNmmJJi2xJnHOGqcl9oij9o609HHOqLq9JNCJwoYVIp1zkQ"
    "NwH4672s8y9OiUBduIZQByFkYgZW7iVG51waISEjFH9HHNjfRq8h73LzRp8h63l/cYv0kV"
    "ggKLQiYskDWuXQR1vrxcRBMSBs4snE+4ao7ogoyBNA1pQFRWMY0XJY2hVGdDyThA8l+o5j"
    "pATCqwSQWukYlc51TguRF8E7KFVrGtHDVrl7SZrQUaUmZzn4MmLp0hJzrpQRm2mDO1me8N"
    "wOOxry6j2+9XTVhrCqOEW8AYw8YYrtWSkwpPH5YJTx/mh6cPc86NqKg6F6WM7kyBmuNNzp"
    "+ykUAD56w566T+tvEOkt5qB+m2E5E9jh8EE1oh60oj2kDIN596FeO2YvpVTgdNWkKeeweF"
    "sBUh9z0NoSv4wkFSyJwHus55oI8ugh6xcjVowV6trGgD0z/LcJWTfK5ykuEqiDxhj5Ix0j"
    "lP8qd8SsykH5oPexiPcBWPcOSOqmbYpsSMZVvsFU66ztb3Cyfzc/YT3aWe4dT8qplv+CYM"
    "yetdwjdxwL7QExwG9qt8TjZKX4Ikynk6BdMR8pDy5Yo+Hh6wDYYUMXW2w4hORQVgNnQRK3"
    "QRb6H/5V7k8GQI40eulR/ZnPfQ2qTTCNr6HKoCR4adk0DVBP/F5l1G4apUxW5IiBhDeR1D"
    "WSz88n4qQJ8QMdCvY69RwsXFkSfZlO17HiK2ZudY7qqdK29S4tIruDRbqc8tjVv0rUthDs"
    "ALUilQH6TYtmA9eXGwLWQLYLu4/nB22QPvb3rn/dt+OOEjU1dVyiJRgAMef9PrXpotkKVU"
    "ptkCafw9xt9TMxvK+Ht+FH9P30HjCeWSIOV/8DPVqL3E+4Pj5hU++Sm9NPIbm/RBffMpSK"
    "Bsx9/fdPBQHtcpqqW7xkNiEoif0lMjayFhU+RJh82Qcr0LaJOdL9lQJy61nuunKCStXac0"
    "71A4Gdfz+jQk/JzvEsrLas7nZLFEA/nY5lO1HlElxhs2byC0nePjEtiKVrngqrr0LjG1VK"
    "2QUpSVbCDmW8goUrqgilcoljAxfBPDNzbdHn1oFXnYHuWQ4rByGRmGcbNlFDh/wNf4tryO"
    "Xf4o1HJNL2k+aVwheW7dpLnaLTrb5zbyvaqAcNi8gehux0lKCa+YkpgQMfGtilxmp1rt+/"
    "8BKdCz4A=="
)
