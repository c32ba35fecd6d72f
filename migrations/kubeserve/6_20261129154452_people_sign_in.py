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
        DROP TABLE IF EXISTS "external_identities";
        DROP TABLE IF EXISTS "sign_in_attempts";"""


MODELS_STATE = (
    "eJztXety2ziWfhWU/mxvldaVdmyn19naKjlWd2s2sTOOk0xPu4uBSEjCiALYAGhFM5N3Xw"
    "CkeCdF6mJTDPqHOyJwePkAAt+58l+9uT9GHLFHdDIQAi08wXuX4F89AhdI/qOouQ960PNS"
    "jeqYgGNXi3A8JRYmFkwKjLlg0BayfQJdjuQhB3GbYU9gSpTUe8j5kjKHAzGDAiwRQ0AwjB"
    "zgQoHcFYDECY4uGSXTPphQBihBANo29YnoA+g4DHEO5HEHPWIbnagrO9SWl8ZkesiL+AT/"
    "6SNL0CkSM8TkpX7/Qx7GxEFfEV//9ObWBCPXSQOMVhafwdPzC3Ui3W6Jlafb3swg+1lLqA"
    "cZWzZ1/QXJS3krMaMkEpPPq45OEUFMPpaTAJ34rhuO0/pQcO/ygGA+im7aiQ84aAJ9Vw2d"
    "kg7uJD7Ws6yb23vrw/Desnq5YV1LJAYhPGRToqYEJuGEW8CvlovIVMzkz4uzb8F1YjyCXu"
    "qCnwZ3b34d3P1wcfaf6oJUzqtg4t2ELae66Zs+BRQwOIkehRh2PZx5xEdEFAMe9c9gjYOj"
    "TbFeH4jBjl+Lp0B7qm7iv05/PHt19tPLi7OfZBd9o9GRVxUDMLq51+jGaHJMbJRH81oiIv"
    "ACFUMaCWUgdUKpk/U/jhDgCvTuR++GH+4H796r0y84/9PVUA3uh6rlVB9dZY7+cJGZ6tFJ"
    "wOfR/a9A/QR/v70ZajgpF1Omrxj3u/97T90T9AW1CF1ach1LYLI+vD70TS1Xk3nizVEHxt"
    "CeLyFzrFwLPaVlffNNi9NF9ggkcKoHSaGp7jPedoZfBWIEuiMHEYHFqmR3ynXbtEuhUMDC"
    "gQRGNTeqAfAQ45QAyOV2AdbnAbceIqNr4DH6KE/JgLpHtc+gRX4f2vIcBdvM7z3MuY/0gs"
    "/98T+QvPU/6u492Mm/s1d4WroIBv03r4DhxtHezSZY/v779PTly1enL15e/HR+9urV+U8v"
    "onUw31S1IF6NflFrYuoNXS+S5VtQPHB1d/1YYj87/nPvQqk9//zFixqbvuxVuuvrtszGFL"
    "4SDUBOiHQQ5dPz8xooy16lKOu2NMo2QwoPyfibcoC0ZAeJQE8+oHNL3FW4xB0JMQhX4xwv"
    "SI66LzdVq2gL+fhxdF083AmRzFj7PnZOlOARjnHFmOq36WUwSEn49ZN+y9OsNLp5aH+mDE"
    "n1+v/QSgM8kvcBi1l0TI0+hmc6TlTjo/G0ZHAZsZnknJKP7yAXiWCFH3x4M7ge9r49G3X9"
    "gDgPHrqIsa5bNxFVHvSrzU7HjC7lWQILB+ZAmWOQAzBR1gyfOGC8UowSOHiKuAB0ArDgwK"
    "Z0jgssJns43w7GEexsYRtJCRnTSGPTSGjiagJ5QqSDnGlfkCcglng0IqWRQAfhPa1F/E8r"
    "iP9pnvgbSvo9UlKOENliyBNiHRzvIxnfUltkcoDRVw/L020xxmlJM8ytHmajWhrV0qiWFa"
    "qlBr5Yr1yPSaVSqZ6sob/jBHxBC4jdL0oJnCNPKoMEuHQpVUMbcvQaLLGcJb4AEHihm127"
    "zpW+yFVfJE+/lApgoZZ5kGvspHk2WXz2v+5s1jh7/zPxia1GCegrqT9n/9tr3ULUr1A19W"
    "A30YMigc7p9afndbRM2avCMJ/TM/X/G8C77m+0zHpa5noRsmaQz5oAnRPcCvFwtn5HgBu1"
    "vhz97qr1DuYK9G2GPSO6h3Fv2Ut3JMN8BJFGA9/BYviItDpQGAEbd9jEr6HqaiHVtybNvp"
    "U01p5BMkUn4EaF/fQBoUKS4BW/BFh7XgQFYwTUaw4kxyXyj/LICCCQ63LteOFgKulwnl/v"
    "++SbifXvPYEIDJCS7PgPE4PUyhikeJDqMpdYooMk8awOZTkrZyxnOcLSfMcyBKVdO1ctv4"
    "MJM0u/SD/WIv8/VpD/HwvIv4sbuk1jCYNxPYyN8//wzn9ttGuEcCTRRYDrzOKL8kl8kZvD"
    "AjLJSxuRmkiigwAfxBDjIFFouv3Lh9ubEk08kshyG2wL8G/gYn6MqVQV0CosUgRmjegP7w"
    "Z/y4L95u3tVZaZqBNcZYBnSD42F4Xe0fIJnpbq4CTfzzLdHmPEiDxiAUV5+GiiQ3+DMQJH"
    "Xeu6/EiU56qjPhdwBf5BMXkNljOKHhEDM6jTkuRLS+Z9dZQjwJHNkIg8dyq1KQwK7auDWB"
    "T4/Q50oQfyQD6vXYXxNQJLh8rpLTq9cRkal2Hbrb1P4DNk1C3xGQ6Jv8jFhqS3mVC2zRtM"
    "7/bzzfDuEtClvJsHMrh+N7q5lEvEAstF43r4afj29r1qd+QC4VJP9fk0Gn5Whx4xWgbBFY"
    "11tYs6qlrWgpHQ1C5ymW16EdwiPD4n2DlX+v5VNr2DIscar5ognZZq8zvRJguEcfGWo99d"
    "C6oJ7N2GR7VplGsF9kLblpR9q7c7I2o8+W0eZ4Ye6XyrYU5LmlFu8ygHvuCGgfopIROqXx"
    "2qX+af3yZY/z4613EiuzFcPzWzWhaw/w4txqUh+2Fjf4Mdb6G7NS1ThAmAIICmohBRtldh"
    "qaF4NuoUElNn6ChifIxB5ygMOkbvLYe+u3qvoVB78hiY5FHDSI+RkWZn7n6QNYm5z8Tz/+"
    "pTAXvFND9o28Ty/1S9apL8zyrVVWfABjPtPzhw8ULVX3LwZIIYmDC6AEJ7zelEe7qxmj5y"
    "AqhTvNYPcKmOr4BDVU5AXkU40DV2cLS3a898Vg3jMD72BZWvVEEMaKnCFgtsVR67ZSa6vV"
    "fHFpJaTpE1XglUgGqVJpwT7RC+T6IWJzxMxPEoDvOxas7rlEyHoN/b1B77WK0e9RGNBQyc"
    "eTgZ8lxswyaAJkUMpHlIbc+3Fth1cRNQ00IG1jysC7SgbCVBGjehCSkhA2vRAqDjtLnlSQ"
    "Wn2TKQFTTwBvDuFNO92e5xS9A9lX+ewurRBlVj7164XTXuEM5ilTvGulLnDu65Saa+L5n5"
    "ArHXQH3EA9iu/C1VYRh8scODRR+faiBnotBbriE/b2GlFsXa7j9j3vjByqHvlh+sPdlWb4"
    "I88eI95E2URF65h1D5fDMryDivH6PB6JTBRZz9BPlcJygJOkeEn4CR4BX5TnIXcVeFUR37"
    "Ou+ed6Kqqv2dXB8PX67f1Pg7bKZz2xJtWoX4/lNtuE29Iit5eWJ5LGESy3dILDe863vhXS"
    "ZQf8f3r02DbAL1TVhUy5A96kD9D3K05DPKAesVq4OJDv1aKiEPBCxVbbOuXij7Ag9i9lrH"
    "03gMP8pZII8wra4hYrOVyoXT9fB1FyUwwW4UgjOjCyQVPtdBrEg/3Pv5d9AT580UxbnRFL"
    "fUFMNhzoN9hQlkq2K4E0IZyKOYlONcpQojSUKuHO3pEt2r0c3g7reIWUcb+9vbm1+uCrj1"
    "1W/3w0G2Trw/drHdRKmJJYxSs4NSI3fboglfobSL4sneBWXd5KwYnfH4bfUDF0News2Ctk"
    "20DKpeqDYXU5cB3LdnykL+xWPU8bX38ktgXQ8CBAEUOkb6ETH1tV5FkyDQYbFF9GsfpyzM"
    "0NTNqlVjs1OCpnEad8tp/Nzr4YHdxuFbkse3NGQqIbFVrFTrEN5zLJrvOVtu7mlJs7m3ZX"
    "MvsBWGd5/J/WhoKUzKGENhtaEw2qF3txO+W5/qOHHdaCZMTquWWQkD6EuqeayHpbqYR5Qy"
    "VZeDOqpKrTbAhTsXL6OWJT031PQwlNFQxlatE4emjMnbymF8j76W8MaM2NNB3XuGuXs//N"
    "t9tVUuZRBdd8+a6gq5epP8hqTI07H1F0dC1Y0drhzq46TqpnZMG8i68ep3xKv/KbT1FDP2"
    "T7ElqJKzJzehenlCvudS6JyAL0EU6BcAiSN/4H+GKf1fANHfoQg+zhl445kKwFbfqcCuK6"
    "k8JmC80g06d7o4r+hA19lgY/Z12UKJfeJgGO6a1SN+Dz1runOyj1Eunk+58NdlJ2uSsFjA"
    "GEyL6nw0DxE3seGNYsOj9SwPcmUVlZRcl+buE9dQqQin2FxL9BlCK3rBvoichgtz7+P7t7"
    "eSsVxfgvUZHsjVx9Hb69HNL5fBBilH54HcDQfXv13qz2avHsjPg9FbJTOB2A2v+ewhGlAI"
    "tPAaVb1JihhdO1+iAfJmBqNYogufoHpqYxF0HrFdsOiU4x1LGLyb4610LkQaheQmRLqA+K"
    "GXZPkwroLMGiMb+rzR3C6S7QLmTz3LPReSLXI6M2JdQP7QpD2AbEvmXiDcobpGT8zeGfIo"
    "K7BmlkehxxI7RaG3DP3nyqxt9vXAtFQH7QPm64HGE5bqt70nTCvkkhJN5W7RfOTz0iabuT"
    "0RivnR1taWrTLWYzkzwm0eYROEaoJQW+LVbnEQ6jCsTt4r9mpHzf0Nbu1UlfN6fu21yAn4"
    "Eo67zl6aMrrkQdK4cjevQn+zikRdqsQmLBshkXOk2Iu9l7OaKNfjc0SbKNfDRbnGb1IDF1"
    "BayDiB8qYUF8Eiy21Fge5IwsCZh/MRN40ITskYSLOQBkRlG0NIWtIoSm1WlIy5q/yF6q65"
    "ywR+m8DvFqnIbQ78XivBdyFb6FXrylG3fk2d2UrRkDqpnA7yXLpCTlTXQyu26nuK6rZeA7"
    "xY+PoyRdmdzYQLVWGUMAsYZdgow61acjLBCC/rBCO8LA9GeFlSJaTh1pmWMntn9ltgxdbk"
    "8ikbCXRwzprKNu3XjZ8hxLF1kB467JwJPJFMaIsYuwLRDkK+/0C7GLctg+1KTtClJeSp82"
    "WkrgiFzwoIXcX3LJJCpvrrLtVf5y6CjFilO2hFZl5etIPBvnW4ykU5V7nIcRVEHjGjZIGK"
    "jCflUz4jZoJNzWdcjEW4iUU4Mkc1U2wzYkazrbYKJ01nu9uFk/E5x4nuRstwZn61zDZ8F7"
    "rki03Cd7HDvtISHDr2m3w8OApfgiSKeboEyxliSNty5TkmE2yDKUVcV/KY0aVsANyGLuKV"
    "JuIDnH+zFTmsA2LsyK2yI5vqHr19Go2gXRxDVWHIsEsCqLpgv9i/yShclZroDQkRoyjvoi"
    "jLhV/dTwPoEyIG+l30NUqEvDhiik3ZPmOI2AV5gqWrdqm8CYnLruBKbaW+sArMoj+7FJYA"
    "nJLKgDpRYoeC9eLFyaGQrYDt+vbj1dsheH83fDP6MAonfKTq6kZ1SB7AAY+/Gw7emoTXWl"
    "umSXg19h5j72mZDmXsPd+Lvecjl02/Up/1ii0+cXt/g83HVz2tmey6Rc6cqrSqvuulxJWR"
    "5uP9mxMwEkBOoRVXVhqiq7DG3TkIQ/Krs+Z2OO8DeSAu5Go34CD4BpnQ1qIl5Cmhvvoo2T"
    "8Ro0BQ+kBsz7d4HyzQgrKVNcVjJQ7AHHkCTCjTxiaGPBfbkD8Q7kEmr/Dgn744vQgvo244"
    "7AGW1HcdMIOP8hmgI5vkRbx+cDY5ARbyGdQXaOM7I1L6gaiBBvo/dTm52apvX9iQECqATX"
    "31pGKjHSucsQq7gtq1cThw3KG2aavK5V64DhesEeHLtptVqyPu9XKTl9kVDxLfZyJSDxjd"
    "Nwv3mybMfS3TQc5+JBy9VnIWQxJSXlR6tWpLSEqZWmfbRl6pkgENcQ8lDObbYr6E86Yhh5"
    "FIl1xOT1+UmzVdZGIZA/zWwI99vmpoTI5FtrQkt2yhObAhWU9Tef2GKKfFntJmf7xQB8XR"
    "muGckDEg1wFZRQQ8ooYoJ4UMzHVgXpuyGsGcFDIw13LzKetfI4wjCQNwHYCTdtVGOGcFDd"
    "y12EZgn24+rbOCBu4GcG89yUvkDfh1wDclZEwJmRY5jttcQka7he+kqhM8aKnneN2lX8t5"
    "zILeNf3H9zMU+DIR45nA/sCPulQ+Ueg4yAGKyL6OKqOq6wCCvuofQYcxWlHiKD/qIu9RPu"
    "iVClywdZMG2ufb+z7SCDj1WdHntypSZyOJDjoA95+2v37Z8hCXB18nZUz09Q7R12rN2vJL"
    "At2Nmzx2H2yOlD0bdRg5aOFRoULyJd8rIQ+ZTpvoA467W3O0ahCAJnurHV2FXAV8qx+Uj1"
    "MBXg6eqs+By+YgZkv7oHVuoGqFhMttX6UITqkojkLb58k3lHCXl9ot2dBEZO3XJVbOHsqU"
    "oHL2EEt0kD3sP3xojhrlWITdOwjt6fl5DWxlr1JwdVuWHuilaosiVnnJDmJ+gBpWei9oQo"
    "VjCVM1xlSNMVlEm7KI2kOOB4hhe1ZCisPGTWQYxt02UeDyAd/BKlXELr8XarljXm45adyi"
    "XNuuZdpat+gcntuo96oBwmH3DqJ7mLRcSkTDIngJEWPTa8hlnnVX+/b/BgqQqg=="
)
