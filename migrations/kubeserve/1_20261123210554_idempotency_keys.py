from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "idempotency_keys" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "tenant" VARCHAR(40) NOT NULL,
    "key" VARCHAR(255) NOT NULL,
    "request_sha256" VARCHAR(64) NOT NULL,
    "answer" JSONB,
    "created_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT "uid_idempotency_tenant_7df0b8" UNIQUE ("tenant", "key")
);
COMMENT ON TABLE "idempotency_keys" IS 'One key of one tenant, with the digest of its request and the answer it got.';"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS "idempotency_keys";"""


MODELS_STATE = (
    "eJztXWtz27gV/SsYfkpnXI8tv1Kn0xnJVrLqOnbGltPNJjs0REISRhTIJUE76tb/vQBI8Q"
    "lSoh4RxeBLYgG4IHUAAueeeyH+pU38AfKQ+4wO+4hAQrVL8JdG4BSxP/KVB0CDjpOq4mUU"
    "DixhQEUzT7QbeNSFBu9wCC0PsSITeYaLHYptwhvfEQQM36P2FLnvgE0ABIbFPiOX/cVvwX"
    "OggQ55Z6ZtsN4wGVW08wn+00c6tUeIjpHLrL/+wYoxMdF35M0/OhN9iJFlpr47NnkHolyn"
    "M0eUPT72rt+LlvyeBrphW/6UxK2dGR3bJGru+9g85Da8boQIciFFZgIQ4ltWCN28KLhjVk"
    "BdH0W3asYFJhpC3+Kwav8c+sTgaAJxJf7P6b/CW0s00/Xbu77+0O3rupYbBX4LGYDDIsMm"
    "fAQxH08GzGvQbwyIKNX4Ba5+ad+/OTn/m4DA9ujIFZUCLu1VGEIKA1MBeoyy+D+H89UYun"
    "Kc5+0zSLMb3Q7Gc3i2AKg2hd91C5ERHbOPp0clAH9u3wuMT48ExjZ7roLn7TasaYkqDnUM"
    "reEiDoUOaR7ga1ZD8RTJQU5bZqA2Q9PD+R+rAD8viJGP14gfAT37guYdsWbhkJdA3+997D"
    "702x8/8ctNPe9PS+DX7nd5TUuUzjKlb84zwxR1Av7T6/8C+Efw+91tN/vARO36v2v8nqBP"
    "bZ3YLzo0E7NzXjpH7ZWvYcNJ4vniBQNoTF6ga+q5GrtlF7XNV01b02wJJHAkxoyDy28z3i"
    "auLIwK95CwctEeYrPvN9YN0XjJnaQNHNceuXAK6BhSMIUzAL0JGNouoPYEEe8Q9KgHPMRm"
    "NgXYAxPkUNaE7RcmHiGPsl3EmuV3mg32u+GdqHiFlO5E+78+np8usT6enxauj7yqzlvRrl"
    "fEFNito2V2I9aqEG5Rl96PgqdE98awdXZeBeicYQMR39T0TsBt2LyPHM7/fri7LcA5sshu"
    "+dig4H/Awh7dQ6BLgOVYpPb1OaBvPrZ/y2J9dXPXyW7YvIOO4l0/Ke9KjrqLnhkjWGXU05"
    "YbGPXwdusy6HsyyHNMSkc50Df0atpAymiTEkF9B3aBIpBzWLII5+F9b7sIj8ivaCZA7rE7"
    "gcSQETCZaLWfyMal8VPtwpfIRUjPLAaBiSxEAzbVfrhqX3e11525gg9stNh3ZAOmyd3BRI"
    "ODpVxCLzDQJ2i2tF/I2gIHYvcd8+AQ8+bwM5sFrMQV7hoihjtz2LQAL5iORRNuMMQWAvZQ"
    "fB7bU8QcPstErsw/3Hj/a/iJk2qO4kR5iit6iuEw58HuYALdmRzuhFEG8sGMBrR7P1cpGc"
    "ydkCtHezpDt9O7bd9/iZh1tLHf3N1+6Ei4dedLv9vOcGvHH1jYqOLUxBbKqVnDqWG7rWzC"
    "lzjtVD7Zm+CsH58vscIcZ3lqvMLwKuUz/pw+Y320+raFoVfAzYK6RbQM8lZoaS7GLwM83x"
    "hzhfzJcW3TF9HLp0Bdd2w+5ABy0RyBZ+R6PLLJaBIEU5sxWxn92kSXEsb1VRPVvFZg84cK"
    "GqugcV3Wwy2HjcOnJI9vj1A5vAmLDMJ4L71vdr/sv7+3jk8vTt+enJ++ZU3EjUYlFyWg92"
    "77GUR9x1xxc09bqs29Lpu7RCsM7z4edbGDVFQKkzZKKCwXCqMden2d8OO8q/3EdaFMmJxW"
    "NVMJA+jlJDQallISKr5cJQ5qMqefCAEu3Lm8ImpZ0FLKGGPhWlFGRRlrtU5smzImbyuHcR"
    "99L+CNGbMfB7W2g7nb7/7WL1flUoLovHlWqpNydUmWxyKyLkvz2CJbP9oTqq50uGKo95Oq"
    "L5O7oaL6KqpfI7pe56j+51DrkTP2z7ESVMrZk5vQcueEfMeyoXkInoIs0CcAick+4P8iXY"
    "RPnwBBrFdgjCEZoSAa7/IEbOzxcLvFqDwmYDATFQMfW6b8XNGWrrNAY/anA1bIsE8Uhumu"
    "WT/iaxhZE42TbZRzsTvnIhi/5UlYbKAEUwkLWyFFXOWGV8oNj9azPMgdPCqct2m7Js3df7"
    "RaJycXraOT87dnpxcXZ2+PokmcryqbzZ3eBz6hU0MhmeHF6RRdtjjkyNCuUyu0YF9EZsWF"
    "WXv8dHPHGMv1JZj38I10Hns3173bD5fBBslG5xu577avv1wC7mPMvpH37d4NtxlCbIXX3H"
    "mKBqQUTR1axddOmihfO/sMsLH2qglGscVKM3+P8uK3IRZB8xkbkkWnGO/YQuFdHW/ucyFS"
    "KSU3YdIExLe9JLMvY3HI9AEyoO9Vmtsy2yZg/qNnuWNBssKZzoxZE5DfNmkPIFuRuUuMV2"
    "IkdcN8J+zdRY7tStTM4iz02GKtLPSaob+rk7WDWZWlJm3VQH3geKnT+sclp/WP86f1VSSs"
    "GP3mRsKE/73SGebYTp1grk9WYn6EVVqiSkusSZyzxmmJXWKKsyOaPM4ZVR8sCHSisGGFSO"
    "fc5BA8heMuzrOMXPvFC44R8wDkLIxA8tzEF37UBbNKSNgckcc1N9Krynvcv9CkynvcXt5j"
    "/CRVCAqkjVRYIO9cWwjKtLxCRBMWCs48nM+4ao5oykZBmoU0ICqruMZpS+Uo1dlRUgJI8Q"
    "PVXAFEpQKrVOAauch1TgWeO8H3IVvQyn3lqNnBkj6znqIhyxzuM5Fj2TNkRr/0IBxbTD1x"
    "mO8dwNOpLy4jO+9XzVjqCqOELKCcYeUM12rJyYSnT5YJT58Uh6dPCn43ouLWmbZSe2cG1A"
    "I1uXjKRgYNnLPqt07q7xvvIOmtdpBuOxHZpXjImNAKWVcS0wZCvvnUqxi3FdOvCjpo0hLy"
    "o09QMF8RUt+VELqSNxwkjdTvgaqXHCh1rJI6Frnm1Uh+xkyx/HKFLCkjrK+RJXMV9hPdhS"
    "pZZn7VTCe7D8OTcnnsPg5elqpiYZCzyqs1o1QOSKL8j0vwMkYuEroW62M4xAYY2cgT59zH"
    "9gurAJ4BLeSVymVb6H+xohaekleaWq00NXX2XdukAw0NeT5JiVNnFCSTNMGX27z7HK5KVd"
    "yGhIlyGtZ5iQBb+Pn9VIA+YaKgX8dfswllF0cuZ1OG77qIGJJTNIWrdqG9Sg/KruDcbbV9"
    "qkskoveWDQsATlllQB1ys23Ben50uC1kS2C7vnvs3HTBp/vuVe+hF074yNUVlbyIFeCAx9"
    "932zfqOJg6DlZD9JXeo/QepfcovSccgJ6Jpo5NOUEqfvlhptHBAvUHx80rvP6QqzT8fYP2"
    "ULz/JkgmO4jfRTh/R/1QyDUuYpOAfeRKDa+FxHtBLhdsRjaVS0Cb7HzB4SJ2qfWkn7LwnH"
    "SdkjxD4WRcT/VpSCiuWBIqyvAs5mSxRQP52ObTViaoEuMNmzcQ2tbZ2RLYslaF4Iq67IkZ"
    "sVStkF6Rt2wg5lvIrhB7QRVVKLZQP6eiYvjKp9ujl04iFxvjAlIcVi4iwzButogCFw/4Gu"
    "/ZlrHLn4VarqmSFpPGwlTc4u22OBe3CfvsVrgNf64qIBw2byC62xFJbcI8mUo/DJcwUfGt"
    "ilxmp7va6/8BfBx1BQ=="
)
