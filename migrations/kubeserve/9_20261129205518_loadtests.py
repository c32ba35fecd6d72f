from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "loadtests" (
    "id" UUID NOT NULL PRIMARY KEY,
    "number" BIGINT NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "endpoint" VARCHAR(40) NOT NULL,
    "plan" JSONB NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "verdict" VARCHAR(16),
    "reason" TEXT,
    "created_by" VARCHAR(100) NOT NULL,
    "client" VARCHAR(100) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "cancelled_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ,
    "ended_at" TIMESTAMPTZ,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_loadtests_tenant__db6892" UNIQUE ("tenant_id", "number")
);
CREATE INDEX IF NOT EXISTS "idx_loadtests_state_0e9965" ON "loadtests" ("state");
COMMENT ON COLUMN "loadtests"."state" IS 'QUEUED: queued\nRUNNING: running\nFINISHED: finished\nFAILED: failed\nINTERRUPTED: interrupted';
COMMENT ON TABLE "loadtests" IS 'One test. It names its endpoint, and stays when that is deleted.';
        CREATE TABLE IF NOT EXISTS "loadtest_events" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "number" INT NOT NULL,
    "document" JSONB NOT NULL,
    "loadtest_id" UUID NOT NULL REFERENCES "loadtests" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_loadtest_ev_loadtes_16ae6d" UNIQUE ("loadtest_id", "number")
);
COMMENT ON TABLE "loadtest_events" IS 'Something a test told, in its order.';
        CREATE TABLE IF NOT EXISTS "loadtest_reports" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "format" VARCHAR(8) NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "loadtest_id" UUID NOT NULL REFERENCES "loadtests" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_loadtest_re_loadtes_59ca3d" UNIQUE ("loadtest_id", "format")
);
CREATE INDEX IF NOT EXISTS "idx_loadtest_re_sha256_c2a7dd" ON "loadtest_reports" ("sha256");
COMMENT ON TABLE "loadtest_reports" IS 'A file that a test left in the artifact store.';
        ALTER TABLE "quotas" ADD "loadtest_s" INT;
        ALTER TABLE "quotas" ADD "loadtest_rate" INT;
        ALTER TABLE "quotas" ADD "loadtests" INT;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "quotas" DROP COLUMN "loadtest_s";
        ALTER TABLE "quotas" DROP COLUMN "loadtest_rate";
        ALTER TABLE "quotas" DROP COLUMN "loadtests";
        DROP TABLE IF EXISTS "loadtests";
        DROP TABLE IF EXISTS "loadtest_events";
        DROP TABLE IF EXISTS "loadtest_reports";"""


MODELS_STATE = (
    "eJztXWtz2ziW/SsofZneKq0rkR0n42xtlRwrae0mdsaxu2cm7pIhEpLQpgANH1bUs/3fFx"
    "ek+CZF6EnRyIfuhMQFqQMQOPeJf7eevCFxiP1MTrquS6Yz12ldoH+3GJ4S8Ze8223UwrNZ"
    "4iZcc/HQkiIOHbMBZQMcFxg6ro0NV9wfYcsh4pJJHMOmM5dyBlJfsePMuW06yJ1gF82JTZ"
    "BrU2IiC7vEWiDMTP/q3OZs3EYjbiPOCMKGwT3mthE2TZs4DhLXTfJMDXICTza5IR5N2XiX"
    "D/EY/ZdHBi4fE3dCbPGo77+Jy5SZ5Adxlv+cPQ1GlFhmEmCyGDgT3HlzDh3J+wN3MZP3Pk"
    "yw/VFKwA8ZDgxueVOWlZot3AlnoZj4vXB1TBixxc8yY6Azz7KCcVpe8t9dXHBtj4QvbUYX"
    "TDLCngVDB9L+m0TXWoPB9c3d4FvvbjBoZYZ1KREbhOCSwRlMCcqCCTfFPwYWYWN3Iv55fv"
    "an/5wID78VPPCX7u2Hn7u3P52f/Qc8kIt55U+86+BOR976U3aBXex3Ikchgl0OZxbxPnPz"
    "AQ/bp7Cm/lVVrJcXIrCjz2IfaI/hJf6z8/rs7dm70/Ozd6KJfNHwytuSAehf30l0IzQdyg"
    "ySRfNKIOLSKcmHNBRKQWoGUifLvxwhwCXo3fW/9L7ddb98he6njvMvS0LVvevBnY68ukhd"
    "/ek8NdXDTtCv/bufEfwT/fPmuifh5I47tuUTo3Z3/2zBO2HP5QPG5wOxjsUwWV5eXvoTlq"
    "vRU+zLgQtDbDzNsW0OMnd4hxe1zd6adqbpK5jhsRwkQBPeM9p2ej9cYjNs9U3CXOouCnan"
    "TLNVuxQJBAbUl6Ck4kbVRTNiO5wh7IjtAi37QTczwvpXaGbzZ9GljeAdYZ8h0+w+tGYfOd"
    "vM9xZ1HI/IBd/xhr8T8eq/Vd17qJn9Zi/puHAR9NuvXgGDjaO+m42//P210zk9fdt5dXr+"
    "7s3Z27dv3r0K18HsrbIF8bL/CdbExBe6XCSLt6Bo4Kru+pHEdnb8Q+9CiT3/zatXFTZ90a"
    "pw15f3UhtT8EkogBwTaSDKnTdvKqAsWhWiLO8lUTZsAngIxq/KAZKSDSQCLfEDzRtmLYIl"
    "7kiIQbAaZ3hBfNQ9sakO8raQ+/v+Vf5wx0RSY+151DwBwSMc45IxlV/TqT9IcfjlL/0zS7"
    "OS6Gah/chtItTr/yULCXBfvAfOZ9ERNboPejpOVKOr0bS08TxkM/E5JX6+SSzi+it899uH"
    "7lWv9efBqOtHMif2LR1PCm0q8RarCOsI2g7sqHF1pjqfcDTFC2RyZIHxwp0I0jkkIzGZ2o"
    "gy5PApQS5hmLkXyBaKLgXaaZORwBbYJ7URt4CPuvyJMKeEz+7iSRsYVzTBPSTB1RvExhtE"
    "fL9VZ1f7ZFX7nN5HQqKOwLryTSzSPvh529Py7qqtyfHbVd6WhjafO7DIgxGeOgg8BsQU+w"
    "MY3D1mouECNgNk0jFxXMRHiLoOMjh/ojlG/S30t9EWs4b5PiGkrffK1vvAC6MCeUykgWr9"
    "tiCPQSzwULKbhAINhLdTyTbVKbFNdbK2KW01KUa/uVYThxC2xpDHxBo43kcyvoWELj7A5M"
    "eMiu7WGOOkpB7mWg+zVm619VNbP0tUSwl8vl65HJNSpRJ+maKh8wQ9kimm1iMogU9k5oLJ"
    "0eJzoRoa2CHv0ZyKWeK5CKNZEAkmo7tAX3SgLRHdz4UCmKtl7uQZWzZuFi8+2193Vmucrf"
    "8aecyAUULySfCfs/9u1W4hapeomnKwVfSgUKBxen3nTRUtU7Qq8R1n9Ez5fwV4l+21lllN"
    "y1wuQoMJdiYqQGcE10I8mK0vCHCt1hej31y13qQOgL7OsKdEtzDuNfvojmSYj8Bd0/VM6v"
    "aeiVQHcpM0ogar+DWGpgMCbSvS7BtBY40JZmNygq4hMrWNGHcFCV44F4hKz4vL0ZAg+MyR"
    "4LgQDwAeGRe5xLIc6Xhx0FjQ4Sy/3nbnq4n195YfiACtBTv+TUcR1DKKIBqkqswlkmggST"
    "yrQlnOihnLWYaw1DuuQBOULfkddCR08kN6XYn8vy4h/69zyL9FFd2mkYTGuBrG2vm/e+e/"
    "NNopIRxKNBHgKrP4vHgSn2fmsIttwUuVSE0o0UCAd2KIMYmba7r9n2831wWaeCiR5jbUcN"
    "H/IYs6x5jtWwItYJEgMEtEf/rS/Xsa7A+fby7TzAQ6uEwBbxPxsx031ztaPMGTUg2c5NtZ"
    "putjjOizZ+pitzh8NNagvcIYQcOmVV1+LCzFIKM+Iengd07Ze0hBIM/ERhMsM2fFR8ue2n"
    "DVIcghhk3c0HMH2bdBUGgbLlI3x++3owc9sAf269JVGD3Dt3RA2Ym87rXLULsM627t3YPP"
    "0OZWgc+wx7xpJjYkuc0EsnXeYFo3v173bi8Qn4u3eWDdqy/96wuxREypWDSuer/0Pt98hf"
    "umWCAsPoM2v/R7v8KlZwppYulVrJKudl5FVUtbMGKa2nkm+VougmuEx2cEG+dK377KJndQ"
    "Yg6GCxWkk1J1/ibqZIHQLt5i9JtrQdWBvevwqDqNcqXAXmwYgrKv9XWnRLUnv87jbJNn/r"
    "TWMCcl9SjXeZR9X7BioH5CSIfql4fqF/nn1wnWvwv7Ok5kV4brJ2ZWzQL2v5DpsDBkP7jZ"
    "XmHHm8pmqvVJKEM4qApSUlsk3Sq3Gl40G2UKiS6FdxQxPtqgcxQGHa33FkPfXL1XU6itl/"
    "LRyaOakR4PI03P3O0gqxNzD8Tz/+ZxF7fyab5/bxXL/xe0qkjyf4VUV5kB68+0vzjIolOo"
    "v2TS0YjYaGTzKXKl15yPpKebwvQREwC6eC9/wAVcl1UFGc9REXb0jA0c7fXaMw+qYezGxz"
    "7l4pPKiQEtVNgigbVOcKiZiW7rBzi4glqOyWC4cEkOqmWacEa0QfjuRS2OeZiYOeM0yMeq"
    "OK8TMg2CfmtTe+hRWD2qIxoJaDizcNpkZlEDqwAaF9GQZiE1Zt5gSi2LqoCaFNKwZmGdki"
    "m3FwKkoQpNSAhpWPMWABmn7QxmQsFRWwbSghreLLwWx6YLMCkgm5DRoBaDOgAI1gA2lNPg"
    "loC7zpTVC0Ec1o2SO1YbQG8YuePiP/swf9bB5rB1d/ymprcAznzbW4R1qfHNf2eVkh2eUN"
    "GnxH6P4MA5ZFji38QWf5Ony81w3kGpCnI6HaXmprLDVlirUdD99ktnaId4MfTNcojXJ+2y"
    "axjEce7gfKSCjSTeYtVuwsUvnQywlBj4hy5V21kgL1JK+Uc1RcmRE/xMwlJNMlD2Qrpm+E"
    "hsHWMbwynawana/iHcOO9AqW33vsEu9btLVZbPoHnjVs/dn+ohh0/RZxaX2YAarNYljsVl"
    "dqz5KjXBt057kU5jeNGjXCPKITgCt+kfMlriAzdJEfHItKtGPwzRtHLMODQGjRTCO+YYDv"
    "ayuTeeiO0/OAbsBD0udwVZpN0NokMMAtUVBCEQzMEkZErMvGDzbXe/AfGAV1kjezolpomI"
    "MhHxa7Ip1q9JCNU5GP3AsMe3LlPQDMMdeLYSw07LNRDszquqFbFKS2JlDBaOwWd5AT7FNb"
    "EiCV0Ta6OaWA73bEPJEBeXaV5lmLNKM/ysZIKf5VRmgL3PmGALHqMEdlaygcvK6867KjlB"
    "nXfFSUFwL3WCB2dq8zoU0JO60qT2j7Md0LXODUzJNtDSfOx63vHabPQwrznMtbZ01mVUFU"
    "yd9Uq3aASkOkVRn29ZgwidlWl02WVgO7jqxM8Dpih+8A9FyLcyfwhPTKhiWpaNqxcksbnY"
    "Z6eRvxk7T7Iar+8aP0GiiTe0qCE9zFCal/Gg2G9u5ZINuoMCwXFLl4OQ9HIzJH425FPIqC"
    "TZ84zwmeUfMQpVUuAE0vcII8CEGst+GXlgv8+foJvwT/BwOGTJ96D7cPm9BieWuo54a9FV"
    "WJx5ywFfJcUpt2hKfVH2a32m5m5PFjhwYduaUfhduwm0zfpgNuvY7qOCf0Zwo2Go2XTf9y"
    "hIGjMVWy1X2jxTYvtb2peO0GCtG2KHGq29LD2nnQpLz2mncOmBW0nsgS+pTPxlez3f15/v"
    "Oqa6eLo3K6Zah7G9NLu3ttPq2mfaBFbJBHZFwHZTEmwZa9CuZAozpYBasKUvs0ylAFsQWK"
    "/wsiSvyxFMG2kkAkutHz1JWZ4tbN2uwA62PB0L/kD1rqAv7IiFXxb3ei8vB105hIDd6oGJ"
    "kRdYYGsgJIfEnRPIJJlzNOOW5bxHYwjolNYyRLAx8V/N4FMCWSdcXLOthXj2bGbzZ/Ec8e"
    "eaMyIGiw+5uZBmNZMY1BT3Fv7RjDrYs67mhGJjmfQwGMFnVBX2hFDjQN9B5WAdUbu7ua1N"
    "ZQdXWnV4514i4fTR33s4R27JmbIoF5+GkBBaq5pL7XDedpE3bdZ6CRYOHcD5IoYZNMi1Pu"
    "aEoDZW1nmMl4p/dogvObcIZgWEIyaWGuChkGvUmF7e3HxODOdlP1Xk+Pr+y2VPKItyHEUj"
    "6tvXsvujDoluUEh0IxE9WER0Y9CsU0B0PUFtQDz0kQJbZ1/QJ7u4aqR/r13JAyT3y8rntm"
    "A38s5gy+JzYkYRwpTFzluRR6eIjqbUWsg4YssKIpwDn4p4a7hOc89u2clz/Ohp38Dm+4w4"
    "E0LYM0W3RtAqqC7mvA8cO9Cs+7WPMDNl3+HZCstTY2KnS+qql4ffT9olbh3tcdAeh5qwIu"
    "1x2Mvk3k1BCW22fQm2Hm22fRnDLCBc51uOy2mjbc1HeCAWXqFLqGyMSakmbo2VdkaFyuc6"
    "krc59sXmwFknA2NNUW2AhfFYka2zifGWjMSnNCk7ViDRpF3J4Gj7IkoHC8DRMxZlT7GS/n"
    "9xkDHBYAocoaDLsIJC33WQ48mzAriNRhwMiI5/4LM08JEfOUbHHT1jkwOj4VFrxH+n5RoX"
    "i7z7AHCt+62zEx+dZiD2tXVUv5iY1vzqPL4HDCA5os92fQI9trfG9EKf5XHiupLoxadVzX"
    "jeNzFW4ieK4SpgebEG1Tie4wsMoIhUNYbXhYJTaIapHaTt2fRZTAJxxXbhRAXCDHsxE7PC"
    "z82DJiAwohZZOmInfEqAiJnEzss13Gr/4EoW1JCN5UaA0HxC4HgI39ssJgGXJFBMe/+I2A"
    "1I4JOat/JJF8hak/IFMyIL9iVl2F4UhO5GQum4zoXrezSPcz3LjewM3JDhzi/Qvexfd2//"
    "ETotw+3/8831p8sct+XlP+563ZSRy684p+IvjiS0v3gDf3G4PlVdXUKBBsZB7CDBVfuJX2"
    "DVmogWKI96QlJrlnXTLDOK0MEY+71DzO6yAGsrn7Qn21Tj7b5hI1HZdTV1vxPc+PF3lz7G"
    "y8X+JVYhti2o9Mz1S3s4yOJsDP8HSh02QQb3LFMW2kB4jPOqhezuMRuwc5OOiZPzoRdvoZ"
    "GE5ugNN8vq40uPcW391RYrR0mNpeh+tTV1Du1VKix9E6uTLCYEwwhh71HpIxnRTv3K3Rew"
    "mDGwWCRqJkGcurwg/uqXOcgupTt5wpaj3y/puLi0QJ6NI6ekQPAB1nf59OsJ/LXTOT1923"
    "l1ev7uzdnbt2/evQoLC2RvlVUYuOx/giTKxIe7zKpcUexIx5hsK2RH1yPZeYKB+vavt329"
    "7a84z9qi2CnY8v17q7Z7DK2ql1GEx0AEyQS0lMeZzU1Pplc9Bud3+Elm4m+Q6/Ystl7QX6"
    "TqMxUbtZXn4thGlznb+PeWvA13JTa/6ay2OmW16ZM9dhjTHHwlWXwLyWlMQhe9yinq4c3M"
    "Na3iSUltFa/x7h68fTTqcgdR1DLiMlrNKI/ECXfozSNxviy7Ok5cV0bixKdVzSJxfOjzSW"
    "g4LKUkVP44JQ5qQtSzDHIJdq4cg1Fpy1zGGCUBaMqoKWOt1oldU8b4a2UwviM/CnhjSmyP"
    "hzMdYO7e9f5+l2AumXCWRCTRsnk6xiWXq6sUqY2L7I+tvzoSqq4DWIqhPk6qXiWARafx6g"
    "N5akTX65wh+Utg68ln7L9ElqBSzh7fhKrlQnozi2PzBD36SX6P0if76NA/yEDGHT8iRp7B"
    "pSsjyvyIdzE7pWd3RKHaMBRRGy7kjaFHLTM/H3JHz1lhY/amQ3FRYB+7GGQzpvWI70FIqm"
    "wcb6OVi8MpF/74VSdhkYA2mOawsDWOlN5y6u+hAd11vbpwPcuCXBaGkpRr0tzdS0RKpTyE"
    "nlgcMmTo0DkJLX9fJKbiwty6//r5RjCWqwu07OGBXd73P1/1rz9d+BukGJ0HdtvrXv3jAo"
    "GOsXhgH7v9zyAzwtQKnnnw3AbsumQ6c1V07biI1rXT30BRgapig1GzilPt21iETTguUgXv"
    "SELjrY436FyEKeWyxkSagPiul2TxYyyAbDAkBvYcpbmdJ9sEzPc9y2cWXqdiT0qsCcjvmr"
    "T7kK3J3HOE12IkdcP8IOzdJjNu51gzi9O3I4mN0rdrhv6+s7eXPpbhQmWpSUo10D7wulLJ"
    "79clJb9f65Lf2hMmCSgo5IISjcVuoT7yWWmd0l2fCMXsaEtryxrjHJfTI1znEdZBqDoItS"
    "Ze7RoHofaCE65a+V7t8HZ7hVs7PClLtqzk116KnKDHYNxl9tLYhtq6sjAbuJsXgb8ZIlHn"
    "Qb7yHEOicr4Xeyu96ijX43NE6yjX3UW5Rl+SggsoKaSdQFlTikVwnuW2ENGYhIYzC+czVY"
    "0ITshoSNOQ+kRlHUNIUlIrSnVWlLS5q/iDaq65Swd+68DvGqnIdQ78XirBtwFbaJXrymGz"
    "dkWdeZCgIVVSOU0ys/iCmGFdD6nYQhVyeK33iE6nnnxMXnanmnCuKkxiZgGtDGtluFZLTi"
    "oY4bRKMMJpcTDCaUGVEMWtMyml984UqAXW5OIpGwo0cM7qyjb1140PEOJYO0h3HXZuu3Qk"
    "mNAaMXY5og2EfAfFFkPc1gy2K+igSUvIvvNlhK6IXc/OIXTFQXcJIX1syibHpjxZBNtsUL"
    "iDlmTmZUUbGOxbhaucF3OV8wxXIeyZ2pxNSZ7xpHjKp8R0sOnmwabaIvySLMKhOUpNsU2J"
    "ac223CocN51tbheOx+ccJ7orLcOp+VUz2/Bt4JLPNwnfRg77Uktw4NhXCJ6KwpcwC2OeLu"
    "BoSpv4Z5LbeDSiBhpz4shKHhM+h0MrHQNbxCk1Ee+g/9VW5KAOiLYj18qOrKt7tLZpNMJG"
    "fgxViSHDKAigaoL9Yvsmo2BVUtEbYiJaUd5EURYLP7yPAvQxEQ39JvoaZ654OLGBTRmebR"
    "Nm5OQJFq7ahfI6JC69goPayj13kGMW/WhxXABwQioF6gjEdgXr+auTXSFbAtvVzf3l5x76"
    "etv70P/WDyZ8qOrKm3BJXKA+j7/tdT/rhNdKW6ZOeNX2Hm3vqZkOpe09L8Xe051RMWCtfH"
    "NPcLO96uywGR08kYWCtUe0PkGPU2yCS/URktUwcrzh78RwL8DoYnGHOEEim+ugKX4itn8x"
    "37qzQX8P7IEthwgFJ4i6iM8Ic96ja3mQKJXpdORHcMQ5nEEGJWFd/kQiW1KBVShl//meDA"
    "wV/1Ur+FrMFHJXrzUZQo2OZT7tVKAHp51CdgC3ym1CT7Qo6mV1+calbJ2JWav7tX+BxDf6"
    "wHrXV19vhA5wgcgs/R1VGYx3FcbiXeFQvEvTNB3VGSLbqUSDOyU0uJOlwbr27q5r7xp8lh"
    "dQVGYhWkpoA9EGBqJgp1eZ2jGRBs5trUZrNTrRbgM1+seMit7WGPWkZANH/UhGeYlJ6TBb"
    "2HEHnrPW552W1fnQdR5pmzwLTXWdcU5K6lGu8ygf3Pp5PGOrkMals8p1VnmNbMkVssrz1o"
    "S92+rruRYcuan+3hG3fuae3cq31kf32ysM9h60HExE0zXK28GhaFz8G8QhnvL+7sMJ6rtI"
    "zKAF2NgJk9bxqLmDguo55QXuNugXbPjASQVVcQIbvisDO+fYSQi1wXb/B7E5cjl/YMbMGz"
    "htNCVTbi8GYzoEcYSeyMxFI25LX4FNZhY1sPPAnBm2xRMevM6rznnwGHjhoAWac88y0QQ/"
    "i9+ATXFLPGTW9nsTE2AqfgO1SOzNmJB+YDDQSP6BxwmFHo6pNjBj3EUG9+CXFjkXvqdnLG"
    "CXc8xctMZGDSq7HMqy43K3uJwlIvjY6utz2GMmXLEn4uAUrqbb4oYcTrsZdpiIPwn2GxW1"
    "cimjLUS11ihtIiB18k5JK9sS4lL6WBK1rSGGPZ+r4h5IaMzXxXyOn1SrA4QiTcoO2f/5mb"
    "bqIhPJaODXBn7oOQvFuO9IZM2g75otNDuO+ZbTVDxfEeWk2D7D648Xav8cEzWcYzIa5Cog"
    "Q/LeM1FEOS6kYa4C89KUpQRzXEjDXCkjB6x/ShiHEhrgKgDH7apKOKcFNdyV2IZvn1af1m"
    "lBDbcC3GtP8gJ5DX4V8LVfXvvla+Q4rnO1d+kWvhWqjv9DCz3HyybtSs5j229d0X98NyG+"
    "L5PYTqoGj+9HnYNPFJsmMREQ2ffhIWbwHMTID/kPv8GQLDgzwY86zXqUd/qk1fldhZ7V+v"
    "n2XkbFH4d7tqHk/oskGugA3H4OzPJjy0JcnAUTl9F5MBvkwcCateahvzpKv64+2AwpOxh1"
    "+MyxeUcct4A2hLdXUQahw5ju0ilcLdoMmsvwL3isE4RGhUFcYlNOhIXh1WFmm3QI8WUzS1"
    "AJ/8+SMWDniZhC2EGP4S88gXaPkkzAQ9ryMBruuUBExLiLqeE8MMOiBLLNEZLRaTddz52g"
    "4KI8wJXDma5I+gEEDYFuIBxNXJ/6tQoh81w8XzAZSGt7YKK1XDjFH7FZY8tCXCa/02coXQ"
    "gDe7GMO4P/QOBZG8kAN2RSwXpkqNkUUtrlb39g4v0dzoJfu4B2I0wt8S7wGuIHU1i/bW/m"
    "AgDimoBS3CTYthYFRClx3mx+ccTv4PlwiWJ8mq6SuK8qiWUe2WYWStyzR7Z+SkJ9t3KFAM"
    "DiMPhiLSAu00A9YPuBgLDvqegAy/aa/29So1Lul7nTenXxklC4zvO79bf73n3v6gKJh3jE"
    "fGC399fX/etPF8j2GBNj8cA+9q/7336GNiPKqDOBVh+7/c/yimQtD0ystb3b2/uvd3AxRl"
    "7SVLHKt7P9Kq8BfVNZn2IizTuDY/sI+3w2C/Ad+VEcHOI054yTMp249/e78oUpVIk/31x/"
    "WjZPr1a62mWVib2TMh1ScVTCOZTQGOtSKLoUSuFJ8sCbLGu9cU/J6uoJdbOzZiJ11xrnpK"
    "Qe5TqPsrRSrlPYKCanR7jOI6zjgnRckI4LUnLu9Z4JW+Xh89u0K7r5BgSaV3T2feNT4k4E"
    "2AhLHx1yuWW2oRgEeLq4bRI769CrKpTrh1q+ZoknShdIqGWBBH18lxyFrR3+Ip7oqR5LG5"
    "fRtvsNbPfhaqlGVlJimq6U05X4Yr85YYlHvBwnuispS2p+1ZS03JIZt1exlqBRZdpiy/YV"
    "eUsXjfxqTthdkhCLjGQVK4jpgQzekegAOa6YZ1kGoy6+ksuMuD0VOmpOVI1f1V2Xfaonqw"
    "nGLTMCxfb7SKKB9vstHzKhD0HY9SEI9A8orO+q1k5JyjWJn+85akwTSU0kNZFUJJJ9k0xn"
    "3IWDYYvPP0s1WkUkadRc/Tw0CPzmMk4dTIZ+3LikgiYdAzsUt/1ypLK8moxYl0SROXMiA7"
    "nH3C08HG1rna8I7BaP0ra0Ou0SxayzyI5fzIsiiQbyou0HxD4RpdinoHkDoe28eVMBW9Gq"
    "+GwzuJcO6JNL1UCd3mclG4j59mm+vxeoWIojiY3sxMfjLd+JmVhHnhVP+WZFntUn77NLbG"
    "pMCkhxcHMVGcZRs1UUuHjANyi4kMcuXwq13NBBWEwan4nt0Lw4+tJEhaVIA/fZnXAb+K4U"
    "EA6aNxDd3YRyc+Yq+rxjItrlrchlDrqr/fn/DdhRZg=="
)
