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
    "eJztXWtz2za6/isYfTk9MzqeVL4kx9k5M3KsttqT2FnHSdqNOzJEwhIqCmAJ0Iq2m/++AE"
    "jxTorQxaYY9IMbEXhB8gEIPO8N+Ksz88eIIe8RHfU5R3OXs845+KtD4ByJfxQVd0EHum6q"
    "UF7jcOwoEYYnZITJCCYFxox70OKi/AE6DIlLNmKWh12OKZFS7yFjC+rZDPAp5GCBPAS4h5"
    "ENHMiRswSQ2MHVhUfJpAseqAcoQQBaFvUJ7wJo2x5iDIjrNnrEFjqSd7apJW6NyWSfN/EJ"
    "/tNHI04niE+RJ2715XdxGRMbfUVs9dOdjR4wcuw0wGg5YlPYOz2TDanyEV+6quzNFHo/KQ"
    "n5IuORRR1/TvJS7pJPKYnExPvKqxNEkCdey06ATnzHCftpdSl4dnGBez6KHtqOL9joAfqO"
    "7DopHTxJfK0zGl1d344+DG5Ho06uW1cSiU4IL1mUyCGBSTjg5vDryEFkwqfi59nJt+A+MR"
    "5BLXnDT/2bN7/0b344O/lveUMqxlUw8K7Ckp4q+qaagBwGjaheiGFX3ZlHfEh4MeBR/QzW"
    "OLiqi/XqQgx2/Fk8BdoT+RD/0/vx5OXJq+Ozk1eiinrQ6MrLig4YXt0qdGM0GSYWyqN5KR"
    "DheI6KIY2EMpDaodTR6h8HCHAFerfDd4MPt/1372Xzc8b+dBRU/duBLOmpq8vM1R/OMkM9"
    "agR8Ht7+AuRP8M/rq4GCkzI+8dQd43q3/+zIZ4I+pyNCFyMxjyUwWV1eXfomp6uHWeLLkR"
    "fG0JotoGePciW0R8vq5ovmvXn2CiRwojpJoimfM152Bl858gh0hjYiHPNlyeqUq7ZulUKh"
    "wAgHEhjVXKj6wEUeowRAJpYLsGoHXLuIDC+B69FH0aQH5DPKdQbN8+vQhm0ULDNfOpgxH6"
    "kJn/njP5B49N/rrj3Yzn+zF3hSOgkG9dfPgOHC0dzFJpj+/rfXOz5+2XtxfPbq9OTly9NX"
    "L6J5MF9UNSFeDH+Wc2LqC11NkuVLUNxxdVf9WGI3K/5zr0KpNf/0xYsai76oVbrqq7LMwh"
    "R+EhogJ0RaiHLv9LQGyqJWKcqqLI2y5SGJh2D8uhwgLdlCItARL2hfE2cZTnEHQgzC2TjH"
    "C5K97otFdVS0hHz8OLws7u6ESKavfR/bR1LwAPu4ok/V13QcdFISfvWm3/I0K41uHtqfqI"
    "eEev3/aKkAHorngMUsOqZGH8OWDhPV+Go8LD24iNhMckyJ17eRg3gww/c/vOlfDjrfno26"
    "fkCMBS9dxFhXpeuIKgvq1WanY48uRCuBhQMzIM0xyAaYSGuGT2wwXkpGCWw8QYwD+gAwZ8"
    "CidIYLLCY7aG8L4wi2N7CNpISMaUTbNBKauHQgT4i0kDPtCvIExAIPLVIaCbQQ3l4t4t+r"
    "IP69PPE3lPR7pKQMIbJBlyfEWtjfB9K/pbbIZAejry4WzW3Qx2lJ082N7majWhrV0qiWFa"
    "qlAr5Yr1z1SaVSKd9M099xBO7RHGLnXiqBM+QKZZAAhy6EamhBhl6DBRajxOcAAjd0syvX"
    "udQXmayLRPMLoQAWapl7ucdWmqfO5LP7eWe9xtn524NPLNlLQN1J/jn5v07jJqJuhaqpOl"
    "tHD4oEWqfX907raJmiVoVhPqdnqv9rwLuqb7TMelrmahIaTSGb6gCdE9wI8XC0fkeAG7W+"
    "HP32qvU2ZhL0Tbo9I7qDfm/YR3cg3XwAkUZ938Z88IiUOlAYARtXWMevoaw6QrJuTZp9LW"
    "isNYVkgo7AlQz76QJCuSDBS3YOsPK8cArGCMjPHAiOS8Qf6ZHhgCPHYcrxwsBE0OE8v951"
    "4+uJ9ZcORwQGSAl2/LuJQWpkDFLcSXWZSyzRQpJ4UoeynJQzlpMcYdFfsQxBadbKVcvvYM"
    "LM0h/Sj7XI/48V5P/HAvLvYE23aSxhMK6HsXH+79/5r4x2WghHEm0EuM4oPisfxGe5Mcyh"
    "J3ipFqmJJFoI8F4MMTbihabbv3+4virRxCOJLLfBFgf/Bg5mh5hKVQGtxCJFYFaI/vCu/2"
    "sW7Ddvry+yzEQ2cJEB3kPitRkv9I6WD/C0VAsH+W6m6eYYI4bkEXPIy8NHExW6a4wROKpa"
    "1+VHojxXFfU5h0vwB8XkNVhMKXpEHphClZYkPloy68qrDAGGLA/xyHMnU5vCoNCuvIh5gd"
    "9vTze6I3fk88pVGN8jsHTInN6i5o3L0LgMm27tfQKfoUedEp/hgPjzXGxIepkJZZu8wHSu"
    "P18Nbs4BXYinuSP9y3fDq3MxRcyxmDQuB58Gb6/fy3JbTBAOdWWdT8PBZ3npEaNFEFyhra"
    "ud1VHVshaMhKZ2lstsU5PgBuHxOcHWudJ3r7KpFRTZo/FSB+m0VJO/iSZZIIyLtxz99lpQ"
    "TWDvJjyqSb1cK7AXWpag7Bt93RlR48lvcj976JHONurmtKTp5Sb3cuAL1gzUTwmZUP3qUP"
    "0y//wmwfq3UVuHiezacP3UyGpYwP47NB+XhuyHhd01dry5qqa7TREmAIIAmoqNiLK1Crca"
    "ikejSiEx+wwdRIyPMegchEHH6L3l0LdX7zUUakceA5M8ahjpITLS7MjdDbImMfeZeP4/fM"
    "php5jmB2XrWP6fslZNkv9ZprqqDNhgpP0XAw6ey/2XbPzwgDzw4NE54MprTh+UpxvL4SMG"
    "gGzitXqBc3l9CWwqcwLyKsKe7rGFo71Za+azahj78bHPqfikCmJASxW2WGCj7bEbZqLb+e"
    "7YXFDLCRqNlxwVoFqlCedEW4Tvk6jFCQ8TsV2Kw3ysmuM6JdMi6Hc2tMc+lrNHfURjAQNn"
    "Hk4PuQ62oA6gSREDaR5Sy/VHc+w4WAfUtJCBNQ/rHM2ptxQgjXVoQkrIwFo0Aag4bTZyhY"
    "KjNw1kBQ28AbxbxXSvt3tcE3RLxZ+nsHo0QdXYuRduW407hLNY5Y6xrtS5g2fWydT3BTOf"
    "I+81kId4AMsRv4UqDIMTO1xYdPiUhpyJQm+4hvy8Gys1KNZ29xnzxg9WDn27/GDNybZ6E+"
    "SJF68hb6Ik8so1hIr3m46CjPP6MRoenXhwHmc/QTZTCUqczhBhR2DIWUW+k1hFnGVhVMeu"
    "2t3xSlS1a38r58f9b9dv9vjbb6Zz0xJtGoX47lNtmEXdIit5eWJ5LGESy7dILDe863vhXS"
    "ZQf8vvr0mdbAL1TVhUw5A96ED9D6K3xDuKDusUq4OJCt1aKiELBEZyt826eqGoC1yIvdcq"
    "nsb18KMYBeKKp9Q1RCxvKXPh1H74qooUeMBOFIIzpXMkFD7HRl6Rfrjz9rfQE2d6iuLMaI"
    "obaophN+fBvsAEestiuBNCGcijmJTDnKUKI0lCrhyt6QLdi+FV/+a3iFlHC/vb66ufLwq4"
    "9cVvt4N+dp94f+xgS0epiSWMUrOFUiNW26IBX6G08+LB3gZl3eSsGJ3x8G31fQdDVsLNgr"
    "J1tAzKWqg2F5O3Acy3ptJCfu961PaV9/I+sK4HAYIAchUj/Yg8eVqvpEkQqLDYIvq1iyYL"
    "MzRVsSxV2GyVoGmcxu1yGj/3fLhnt3H4leTxLQ2ZSkhsFCvVOIR3HIvmu/aGi3ta0izuTV"
    "ncC2yF4dNncj80LYVJGWMorDYURiv09nbCd6umDhPXtWbC5LBqmJUwgL5kN49Vt1Rv5hGl"
    "TNXloLbcpVYZ4MKVi5VRy5Kaa/b0MJTRUMZGzRP7pozJx8phfIu+lvDGjNjTQd15hrF7O/"
    "j1ttoqlzKIrqpnTXWFXF0nvyEp8nRs/cWBUHVjhyuH+jCputk7pglk3Xj1W+LV/xTaeooZ"
    "+6fYElTJ2ZOLUL08Id91KLSPwH0QBXoPILHFD/yvMKX/HhB1DkVwOGfgjfdkALY8pwI7jq"
    "DymIDxUhWo3OnivKI93WeNjdlX2xYK7BMXw3DXrB7xJfSsqcrJOka5eD7lwl9tO1mThMUC"
    "xmBatM+Hfoi4iQ3Xig2P5rM8yJW7qKTk2jR2n3gPlYpwivV7iT5DaEUnWBeRrTkxdz6+f3"
    "stGMvlOVi1cEcuPg7fXg6vfj4PFkjRO3fkZtC//O1cHZu9vCM/9YdvpcwDxE54z2cP0YCc"
    "o7mrtetNUsTo2vktGiDTMxjFEm04guqpjUXQfsRWwaRTjncsYfDWx1vqXIhoheQmRNqA+L"
    "6nZPEyjoRsNEYW9JnW2C6SbQPmTz3KXQeSDXI6M2JtQH7fpD2AbEPmXiDcon2Nnpi9e8il"
    "XoE1szwKPZbYKgq9Yeg/V2at3umBaakW2gfM6YHGE5aqt7knTCnkghJNxGqh3/N5aZPN3J"
    "wIxXxvK2vLRhnrsZzp4Sb3sAlCNUGoDfFqNzgIdRDuTt4p9mpHxd01bu3ULuf1/NorkSNw"
    "H/a7yl6aeHTBgqRx6W5ehv5mGYm6kIlNWBRCIsZIsRd7J62aKNfDc0SbKNf9RbnGX5KGCy"
    "gtZJxAeVOKg2CR5bZig+5IwsCZh/MR60YEp2QMpFlIA6KyiSEkLWkUpSYrSsbcVf5Btdfc"
    "ZQK/TeB3g1TkJgd+r5Tgm5AtdKp15ahat6bOPErRkDqpnDZyHbpEdrSvh1Js5XmK8rFeAz"
    "yf++o2RdmdesKFqjBKmAWMMmyU4UZNOZlghOM6wQjH5cEIxyW7hGgunWkps3ZmzwIrtiaX"
    "D9lIoIVj1uxs03zd+BlCHBsH6b7Dzj2OHwQT2iDGrkC0hZDvPtAuxm3DYLuSBto0hTx1vo"
    "zQFSH3vQJCV3GeRVLI7P66ze6vMwdBj4xKV9CKzLy8aAuDfetwlbNyrnKW4yqIPGKPkjkq"
    "Mp6UD/mMmAk2Nce4GIuwjkU4MkfpKbYZMaPZVluFk6az7e3Cyficw0R3rWU4M74aZhu+CV"
    "3yxSbhm9hhX2kJDh37OocHR+FLkEQxT+dgMUUeUrZc0cbDA7bAhCKmdvKY0oUoAMyCDmKV"
    "JuI9tL/eihzuA2LsyI2yI5vdPTq7NBpBqziGqsKQYZUEULXBfrF7k1E4K+noDQkRoyhvoy"
    "iLiV8+jwb0CRED/Tb6GiVc3Bx5kk1ZvuchYhXkCZbO2qXyJiQuO4NLtZX6fFRgFv3JobAE"
    "4JRUBtQHKbYvWM9eHO0L2QrYLq8/XrwdgPc3gzfDD8NwwEeqriqUl8QFHPD4m0H/rUl4rb"
    "VkmoRXY+8x9p6G6VDG3vO92Hv6Li4/1jUs7K47O8zFGge5SmuMqH0E7ufQli7Ve5msBgHz"
    "x38gi59Lo4tDGWJhIhtnYA5nyAsuFlt3tmjvjtyRVReB4KgxIUBdRNhrcEUJUg3IA2C/Bj"
    "YkW55BJreE5XSGYltSiVUoY//5kg4MFX/1NnwtZwotPQH2uFeDHhz3StmBLKq2Cc1wWdTL"
    "+u0bV7JNJmad/vvhORDf6B0ZXF2+vxY6wDlAbvY7qtMZr2r0xavSrniVpWkmqjNCtleLBv"
    "cqaHAvT4PN3rv73nvXom5RQFGVhWglYQxEWxiIwpVeZ2gnRFo4to0abdToVL0t1OivLhat"
    "bdDrackW9vqB9PIKk8pudiDjI59t9HlnZU0+dJN72kOPQlPdpJ/TkqaXm9zLz279PJy+1U"
    "jjMlnlJqu8QbbkGlnlRXPCk9vqmzkXHLip/iMTRb9Q3+sUW+vj8u4ag70va46mouoG29vJ"
    "Q9Go+C3FZTzlx9s3R2DIgRhBS2ljR0RZx+PqDIS751RvcLdFu9KGLzmpoCostOFzFdi5gC"
    "wl1JW2+38hjwJO6R2xXH/EumCO5tRbjiZ4LMUBmCGXgwfqKV+Bh1wHW5DdEeZCT9zhzu+9"
    "6J2Ft5EPHNYAC+o7NpjCR/EO0BZF4iZuN2hNDIC5eAfsoMSTESF9R2RHA/WfvJ1Q6OUx1R"
    "YkhHJgUV++aZlz4Ut2xErsCo6Zi+fYuEJtl0NVdlzhElcwRYQfW3N9Dk+YCVfuiXh2CtfQ"
    "ZXFLDmfcDHtMxJ+G642OWrmSMRaiRmuUHhKQsqJT0qqWhKSUOZZEb2lIYE8XuriHEgbzTT"
    "FfwJnu7gCRSJuyQ57+/ExPd5KJZQzwGwM/9tlSM+47Ftkw6LthE82eY77VMBX310Q5LfaU"
    "4fWHC3VwjokezgkZA3IdkGXy3iPSRDkpZGCuA/PKlKUFc1LIwFwrI0da/7QwjiQMwHUATt"
    "pVtXDOChq4a7GNwD6tP6yzggZuDbg3HuQl8gb8OuAbv7zxyzfIcdzk3d6VW/hGqDrBi5Z6"
    "jldVurWcx15Qu6b/+HaKAl8m8lhmD57Aj7qQPlFo28gGksi+jg4xk/cBBH1VP4IKY7SkxJ"
    "Z+1Hneo7zXO63P7yr1rDbPt/d97PjDqO9ZWu6/WKKFDsDd58CsPrY8xOVZMEkZkwezRR6M"
    "nLM2PPTXROk31QebI2XPRh2GNpq7lMvdc8qTxDOV1tEHHFfXTxqXK7oMuQr4Vjc46UUGeN"
    "l4ghiXxUHMlvJBq238ZCkkTCz7Mo97QnlpBvnOGl9z2qq41Xb7ApqIrN26xMrZQ5kSVM4e"
    "YokWsofdhw/NkFYSZ1i9hdD2Tk/rJICfnpYngMuyLD1QU9UG503kJVuI+R6Om1BrgQ4Vji"
    "XMBu9mg3eTqbwuU7k55LiPPGxNS0hxWLiODMO42joKXN7hW1ilitjl90Itt9xCs5w0bnCy"
    "yrYnqjRu0tk/t5HflQbCYfUWorufrT8o4Zrn1SREjE1Pk8s866r27T8w5yuj"
)
