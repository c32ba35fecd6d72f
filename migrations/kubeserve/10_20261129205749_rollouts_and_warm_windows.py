from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "rollouts" (
    "id" UUID NOT NULL PRIMARY KEY,
    "number" INT NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "candidate" JSONB NOT NULL,
    "running" JSONB NOT NULL,
    "before" JSONB NOT NULL,
    "steps" JSONB NOT NULL,
    "rules" JSONB NOT NULL,
    "step" INT NOT NULL,
    "step_at" TIMESTAMPTZ NOT NULL,
    "taken_at" TIMESTAMPTZ,
    "release" INT NOT NULL,
    "tally" JSONB NOT NULL,
    "compared" JSONB NOT NULL,
    "checks" JSONB NOT NULL,
    "reason" TEXT,
    "created_by" VARCHAR(100) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "ended_at" TIMESTAMPTZ,
    "endpoint_id" UUID NOT NULL REFERENCES "endpoints" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_rollouts_endpoin_7f6935" UNIQUE ("endpoint_id", "number")
);
COMMENT ON COLUMN "rollouts"."state" IS 'RUNNING: running\nDONE: done\nROLLED_BACK: rolled-back\nCANCELLED: cancelled\nSUPERSEDED: superseded';
COMMENT ON TABLE "rollouts" IS 'One rollout; whoever leads goes on from this row, so it holds all there is to know.';
        ALTER TABLE "endpoints" ADD "slo" JSONB;
        ALTER TABLE "endpoints" ADD "warm" JSONB;
        ALTER TABLE "releases" ADD "reason" TEXT;
        ALTER TABLE "releases" ADD "shadow" JSONB;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "releases" DROP COLUMN "reason";
        ALTER TABLE "releases" DROP COLUMN "shadow";
        ALTER TABLE "endpoints" DROP COLUMN "slo";
        ALTER TABLE "endpoints" DROP COLUMN "warm";
        DROP TABLE IF EXISTS "rollouts";"""


MODELS_STATE = (
    "eJztXWtz2ziW/SsofenZKo0rURx31t7aKjlW92gnsbOO0z0zrS4ZIiEJEQVo+LCime3/vr"
    "jg+yURelIM+kM6IXFB6gAE7j33gX+3Zt6IOMR+IRdd1yXzheu0rtG/WwzPifhL0e02auHF"
    "InUTrrl4ZEkRh07YkLIhTgqMHNfGhivuj7HlEHHJJI5h04VLOQOpT9hxltw2HeROsYuWxC"
    "bItSkxkYVdYq0QZqZ/dWlzNmmjMbcRZwRhw+Aec9sIm6ZNHAeJ6yZ5oQa5gCeb3BCPpmxy"
    "yId4jP7TI0OXT4g7JbZ41G+/i8uUmeQbccJ/LmbDMSWWmQaYrIbOFHfeXkFH8v7QXS3kvf"
    "dTbP8kJeCHjIYGt7w5y0stVu6Us0hM/F64OiGM2OJnmQnQmWdZwTiFl/x3Fxdc2yPRS5vx"
    "BZOMsWfB0IG0/ybxtdZweP/wNPzcexoOW7lhDSUSgxBcMjiDKUFZMOHm+NvQImziTsU/ry"
    "7/8J8T4+G3ggf+0n18/5fu45+uLv8DHsjFvPIn3n1wpyNv/SG7wC72O5GjEMMuhzOPeJ+5"
    "xYBH7TNYU/+qKtbhhRjs+LM4BtoTeIk/d15f/nj57s3V5TvRRL5odOXHNQPQv3+S6MZoOp"
    "QZJI/mnUDEpXNSDGkklIHUDKQuwr+cIcBr0Hvqf+x9fup+/ATdzx3nn5aEqvvUgzsdeXWV"
    "ufqnq8xUjzpBv/af/oLgn+gfD/c9CSd33Iktnxi3e/pHC94Jey4fMr4cinUsgUl4Obz0By"
    "xX41niy4ELI2zMltg2h7k7vMPL2uZvzTvz7BXM8EQOEqAJ7xlvO71vLrEZtvomYS51VyW7"
    "U67Zpl2KBAJD6ktQUnGj6qIFsR3OEHbEdoHCftDDgrD+HVrY/EV0aSN4R9hnyDy/D23ZR8"
    "E281uLOo5H5ILveKOvRLz671X3Hmrmv9lbOildBP32m1fAYOOo72bjL3//2em8efNj59Wb"
    "q3dvL3/88e27V9E6mL+1bkG87f8Ma2LqCw0XyfItKB64qrt+LLGfHf/Uu1Bqz3/76lWFTV"
    "+0Kt315b3MxhR8EgogJ0QaiHLn7dsKKItWpSjLe2mUDZsAHkLjV9UB0pINVARa4geaD8xa"
    "BUvcmSgGwWqc0wuSo+6JTXVYtIV8+dK/Kx7uhEhmrD2PmhcgeIZjvGZM5df0xh+kJPzyl/"
    "6RV7PS6Oah/YnbRJjXfyUrCXBfvAcu1qJj1ehL0NN5ohpfjaeljZeRNpOcU+Lnm8Qirr/C"
    "dz+/7971Wn+cTHX9iSyJ/Ugn01JOJdlik8I6hrZDO25cXVNdTjma4xUyObKAvHCnQukckb"
    "GYTG1EGXL4nCCXMMzca2QLQ5eC2mmTscAWtE9qI26BPuryGWHOGn32EE/agVzRCu4pFVy9"
    "Qey8QST3W3Xt6pha1TGn95koUWfArnwWi7QPftH2FN7dtDU5frvK29LI5ksHFnkg4amDwG"
    "NATLE/AOHuMRONVrAZIJNOiOMiPkbUdZDB+YwWkPp76G+nLWYL+j4lpNl7ZfY+8MKoQJ4Q"
    "aaBZvy/IExALPJR4k0iggfB2KnFTnTXcVCfPTWnWpBz95rImDiFsiyFPiDVwvM9kfEsVuu"
    "QAk28LKrrbYozTknqYaz3M2rjV7KdmP9eYlhL4YrsyHJO1RiX8MkWi8wI9kzmm1jMYgTOy"
    "cIFytPhSmIYGdsgNWlIxSzwXYbQIIsFkdBfYiw60JaL7pTAAC63Mgzxjz+Rm+eKz/3Vns8"
    "XZ+q+xxwwYJSSfBH9c/nerdgtRe42pKQdbxQ6KBBpn13feVrEyRas1vuOcnSn/rwBv2F5b"
    "mdWszHARGk6xM1UBOie4FeLBbP2OANdmfTn6zTXrTeoA6NsMe0Z0D+Nes4/uTIb5DNw1Xc"
    "+kbu+FSHOgMEkjbrBJv8bQdEigbUU1+0GoscYUswm5QPcQmdpGjLtCCV4514hKz4vL0Ygg"
    "+MyR0HEhHgA8Mi5yiWU50vHioIlQh/P69b4736xY/9byAxGgtdCOf9dRBLWMIogHqarmEk"
    "s0UEm8rKKyXJZrLJc5haXecQVaQdmT30FHQqc/pNeVlP/Xa5T/1wXKv0UV3aaxhMa4Gsba"
    "+X94578k7ZQQjiSaCHCVWXxVPomvcnPYxbbQS5WUmkiigQAfhIgxiVtI3f7P54f7Eks8ks"
    "jqNtRw0f8hizrnmO27BlrAIqXAhIj+6WP3b1mw3394uM1qJtDBbQZ4m4if7biF3tHyCZ6W"
    "auAk388yXR8yos9eqIvd8vDRRIP2BjKCRk2ruvxYVIpBRn1C0sFXTtkNpCCQF2KjKZaZs+"
    "KjZbM2XHUIcohhEzfy3EH2bRAU2oaL1C3w+x3oQQM2YL+GrsL4GT7TAWUnirrXLkPtMqw7"
    "23sEn6HNrRKfYY9581xsSHqbCWTrvMG0Hn697z1eI74UbzNg3buP/ftrsUTMqVg07nq/9D"
    "48fIL7plggLL6ANr/0e7/CpRcKaWLZVaySrXZVxVTLMhgJS+0ql3wtF8EtwuNzgo1zpe/f"
    "ZJM7KDGHo5UK0mmpOn8TdWIgtIu3HP3mMqg6sHcbPapOo1wpsBcbhlDZt/q6M6Lak1/ncb"
    "bJC59tNcxpST3KdR5l3xesGKifEtKh+utD9cv889sE6z9FfZ0nshvD9VMzq2YB+x/JfFQa"
    "sh/cbG/g8eaymWp9EsoQDqqCrKktkm1VWA0vno0yhUSXwjuLGB9N6JwFoaPt3nLom2v3ah"
    "Vq76V8dPKo1kjPRyPNztz9IKsTc0+k5/+vx13cKlbz/XubtPx/QquKSv6vkOoqM2D9mfaD"
    "gyw6h/pLJh2PiY3GNp8jV3rN+Vh6uilMHzEBoIsb+QOu4bqsKsh4gYlwoGfs4Giv1555Ug"
    "vjMD72ORefVEEMaKnBFgtsdYJDzSi6vR/g4ArVckKGo5VLClBdZwnnRBuE71HM4oSHiZkL"
    "ToN8rIrzOiXTIOj3NrVHHoXVozqisYCGMw+nTRYWNbAKoEkRDWkeUmPhDefUsqgKqGkhDW"
    "se1jmZc3slQBqpqAkpIQ1r0QIg47Sd4UIYOGrLQFZQw+vDu1NM92be44GRJy7+OAbrUQdT"
    "Y+9euF0t7gDOYpM7xnqtze2/s0qmvic08zmxbxCcM4UMS/xbmMLYP1RqgYvOR1SQ01HoNb"
    "eQT1tYqUaxtvvPmNd+sHLom+UHq0+2VdcwiOM8wbEoJRtJssWm3YSLXzodYikx9M9aqbaz"
    "QDqUlPJPaIlzoqb4hUQVWmR83LVkZPlYbB0TG8PhucFhuv7Zu7joHJl9977DLvXVpSrLZ9"
    "C8cavn4Yv5y+FTpMqTMjuoBpttiXNhys81TL0m+NZpL9LRy9/1KNdI5RA6Arfpv6ST9D03"
    "SZnikWtXTf0wRNPKoaLQGCxS8OouMZznY3NvMhXbf3D6zwV6DncFWZvZDZzCBoGkaqEQCM"
    "3BJGROzKIY0313v4PiAa+yRdJkRkwrIsqKiF+KSbFsRUqozjGoJ4Y9uXWZQs0w3KFnK2nY"
    "WbkGgt15VbUQztpKOPljsA2+KPLrl5fCiSV0KZydSuE43LMNJSIuKdO8ghCXlWb45ZoJfl"
    "mQkA17nzHFFjxGCey8ZAOXldedd1VSATrvynMB4F6mcD9navM6EtCTutKk9k+xHNKtjgvL"
    "yDaQaT53O+98ORs9zFsOc62ZzrqMqgLVWa8o60ZAqjOT9LF2NYjQ2Zg9k18G9oOrzvc6YW"
    "bSe78WejHL/D4qlF6FWpaNq9chsLnYZ+exvxk7M1mE03eNXyDRxBtZ1JAeZqjIyXhQ47Ow"
    "YMEO3UFd0CTT5SAkvdwMiZ8NYdQyKkn2vCB8YfknC0JxBDh48AZhBJhQI+yXkQH7upxBN9"
    "F/wcPhbBXfg+7D5fcaHFToOuKtRVdRTdY9B3ytqUm3Ryr1u+Kv9VF6hy0ofuJ6ljVT4Q/t"
    "JtCc9ck468Tuo4J/TnCnYajZdD/2KEg1Zi62Wq60eWbEjre0h47QYK0bYYcaraMsPW86FZ"
    "aeN53SpQdupbEHfUll4oft9Xzffr7rmOry6d6smGodxva98d6ap9UljzQFVo0CEy+/hgML"
    "7rYrxlfK1pUL9WAX4bDYJrYsviRmzA1Rliiw00YO99kiWTMH20Qe1oudGYhMBPZFRXr22r"
    "/Pk/mRMshvG8Rhhl0D4YYt0ekNGrQGLVnfB3U/9RFmJjRCUemMsChQonhoUW3RkL1PhfzF"
    "MlHcji46WqPqKjrc8+ThnicIgdvOhD2OvXqYYCHNlmm7tWZD0WC7VVs0OvKkfnDqyBMdeV"
    "JfZOtsdt8RCJlYk+OYaNCuZHybUkAtx9GXCSsYQAiGtGFDm9kVNrGYNjI2A6apn7RYZGtv"
    "3xWY1eFZtPAfmMVBX771DaV0b+TloCuHEAgXGTAx8gILbA2F5Ii4SwIFHJYcLbhlOTdoAn"
    "mUMkgFEWxM/Vcz+JxAsQcurtnWSjx7sbD5i3iO+O9e2O5isPiImysZzWISg5ri3oqUGek6"
    "x7IW1l+50S2XVyP4jKrCnhJqHOgHOKdDMxuHm9va5j65za2zKo/CKQV6gArKCRG9hFQ6tT"
    "nUmfIol7sBUkJbFVGtHc77LqmsWbnvIbBA501+F8MMFuRWH3NKUMcI1XmMQ8M/P8S3nFsE"
    "sxKFIyGWGeCRkGvUmN4+PHxIDedtP+P0vv/y8bYnjEU5jqIRdVO+cJ2JrIT3uWQiNxLRk7"
    "mDGoNmnbxB9QS1Ac6gMwW2zr6gn+3ywxr8e+1KHiC5Xx4g+NIPZBzjObVWMn3XsoLE4sCn"
    "It4artPCkxIP8pxsMCYUxhRC2DNFt0bQKijq7dwEjp3dwjF3ibHUh03s+7AJ7XHQHoeaaE"
    "Xa43CUyX2YOo6atv0euB5N234fwywg3OZbTspp0rbmIzwUC6+wJVQ2xrRUE7fGSjujwoFj"
    "Oty8Ofxic+CsE8FYU1QbwDCeK7J1phgfyVh8StN1p/mlmrQrEY62L6J0nh+c+GpRNkucpP"
    "eDg4wpBipwjIIuo8KFfddBjieP6OM2GnMgEB0ZE+4TfORbAel4oGfsQArKR20R/52Va1ws"
    "8uEDwLXtt81OfHaWgdjXtjH9EmLa8qvz+J4wgOSMPtvtFeiJvTdNL/JZnieuGxW95LSqmZ"
    "73WYyV+IliuEq0vESDajqe4wsMoXZzNQ2vC3We0QJTO0jbs+mLmATiiu3CQYaEGfZqIWaF"
    "n5sHTUBgTC0SOmKnfE5AETOJXZRruNf+wZUsVEM2kRsBQsspgVMZfW+zmARcKoFi2rtkRy"
    "VwpuatnOm61FuqfMGMyIN9Sxm2VyWhu7FQNq5z5foezfNczwojOwM3ZLTzC3Rv+/fdx79H"
    "Tsto+//wcP/zbYHb8vbvT71uhuTyC72r+ItjCe0v3sFfHK1PVVeXSKCBcRAHSHDVfuJS6J"
    "tbdCdWC5RHPSWpLcu6WZY5Q+hkGvsXh5jd8NyTVrHSnm5TTW/3iY3UgSqbVfcnoRs/f3Xp"
    "c/KUlh8SB7O0hSq9cP3SHg6yOJvA/0Gljpogg3uWKQttlFXmPNxjdtDOTTohTsGHXr6Fxh"
    "JaR284LXvMkdBr677W1l9tsXKsqbEU36+2pi6hvUqFpc9idZLFhGAYIew9Ln3kFxD2D8y6"
    "hsWMuWEJ4ShangUXxF/9Mgf5pfQgT9hz9LuuMAz3jlFhWMeY7DVkR9cjOXiCgfr2r7d9ve"
    "2v3/a7FsVOyZbv39u03WNoVb2MIjwGIkimYKU8L2xuejK96jk4NtNPMhN/g1y3F7H1gv0i"
    "TZ+52KitIhfHProsPFNA3oa7EpudTg7QWW37zmrTB2oeMKY5+Ery+JYqpwkJXfSqoKiHtz"
    "C3ZMXTkpoVr/HuHrx9POpyB1G0MpIy2sxYH4kT7dC7R+J8DLs6T1w3RuIkp1XNInF86IuV"
    "0GhY1iqh8scp6aAmRD3LIJdg5yogjNa2LNQY4yQArTJqlbFW68ShVcbka+UwfiLfSvTGjF"
    "gDDpRap770/vaU0lxy4SypSKKweTbGpVBXVylSmxQ5nrb+6kxUdR3AUg71earq+tSoOijr"
    "OkOyIRmSvwRcT7HG/kvMBK3V2ZObULVcSG9hcWxeoGc/ye9Z+mSfHfovMpRxx8+IkRdw6c"
    "qIMj/iXcxO6dkdU6g2DEXURit5Y+RRyyzOhzzQczZwzN58JC4K7BMXg2zGrB3xWxCSKhsn"
    "22jj4nTGhT9+1ZWwWEATpgVamHoC8L5Tf08N6KHr1UXrWR7kdWEoabkmzd2jRKRUykPoic"
    "UhpwydOieh5e+LxFRcmFtfPn14EBrL3TUKexiw2y/9D3f9+5+v/Q1SjM6APfa6d3+/RmBj"
    "rAbsp27/A8iMMbWCZ548twG7LpkvXBVbOymibe3sN1BWoKqcMGpWcapjk0XYhOMiVfCOJT"
    "Te6niDzUWYUi5rQqQJiB96SRY/xgLIhiNiYM9RmttFsk3A/NizfGHhbSr2ZMSagPyhlXYf"
    "si019wLhrTSSumF+Eu3dJgtuF7CZ5enbscRO6ds1Q//Y2duhj2W0Ullq0lIN5AdeVyr5/X"
    "pNye/XuuS39oRJBRQMcqESTcRuoT7yeWmd0l2fCMX8aEu2ZYtxTsrpEa7zCOsgVB2EWhOv"
    "do2DUHvBCVetYq92dLu9wa0dnZQlW1bya4ciF+g5GHeZvTSxobauLMwG7uZV4G+GSNRlkK"
    "+8xJCoXOzF3kuvOsr1/BzROsr1cFGu8Zek4AJKC2knUJ5KsQguYm5LEU1IaDjzcL5Q1Yjg"
    "lIyGNAup0DDmKlRf2F4TfTuUabS4CuRBc4349oj76vg2dF9aUtMBdaYDNKlbvm00l9TV6Q"
    "06vaFGRFCd0xtCqucx0Ilb6xmhqFm7IjM0TCnbVRKWTbKw+IqYUfUaSd9ArX14rRtE53NP"
    "PqYoh1lNuJDwIQnyS1M+mvKp1ZKTCbl5UyXk5k15yM2bklo4iltnWkrvnRlQS3wm5VM2Em"
    "jgnNX1m+rPAJ0gkLd2kB46ucJ26VhoQltEkhaINhDyA5QUjXDbMqS0pIMmLSHHzgoTtiJ2"
    "PbtAoVtDfiaF9OFAu7DOM4tgmw1Ld9A1+ad50QaGtFfRVa7KdZWrnK5C2Au1OZuTIvKkfM"
    "pnxDTvv3tItWaEvydGOKKj1AzbjJi2bNezwknqbHdeOBmFdp7obmSGM/OrZtzwYxB4UkwJ"
    "P8ZhKWuZ4CB8RSFEMA7SwyyK7LuGA1htIrlc0cd4TA004cSR9WqmfAlHszoGtoizliI+QP"
    "+bWeSg2o3mkWvFI+saNq19kkbYKI4UXENkGCVhgk3gL/ZPGQWrkordkBDRhvIuhrJY+OF9"
    "FKBPiGjod7HXOHPFw4kN2pTh2TZhRkE2bOmqXSqvAz+zKziYrdxzhwW06E8WxyUAp6QyoI"
    "5B7FCwXr26OBSya2C7e/hy+6GHPj323vc/94MJH5m68iZcEheor8c/9rof8uXeTGGoqqwm"
    "kYTmfrZfS3QBpnJC5xClUnT5Al2+oA7oa15T85qa19S8ZshccssSGmurhNcM7rY38Zp+Ow"
    "VeM5C4QcsplzW1LbEuOT7LyBka23yO3Cl1RMNlGzkcKMcpFz8KYcuC+tpATzrI5Wgm1oNi"
    "bnPPzxiwATMwMyks/21ke4yJhyGEURjX+4MfWtv2z5eUbGngEx6wERmL7wOl/oMy4SG/Ko"
    "+sxPKdYXD9t5R/c/mA2Z4l/pn+T2ZtOy5ZiPcVPX/1TDHIaLRqo2fZ/OIR/nweMGjTli3F"
    "vhYIy48GaF94B78BvO5ySliK9l3iMC18IGzHGWFxF8FLCAHoQ2zocFoStB9T2xFvRuAOR3"
    "K2iD7Fj/DZ79SP8InE8EXCFuGx3HJ04O3g4Za1KkIAnjgXUp5NTPHTZbuLJ/hT/HSDzxcC"
    "HDMpBQT2QlyjknJzkEnHYyKFRysxCzzbECP4DFedC9gtoZspMWYZ/KGbEDzxB+cRevKVLM"
    "5ncNi4iyzs2yOaG9fc+Bnuc3uv735u1a+DhV5x1rYev9zfyzrXgfyA3Qm99xqZnJEBe3z4"
    "8KF3N7ztvv/rtVz0iflnWO0H7H33/n3vg6yAbQAGcGvAPn/51Hv83JPFtB1vIXYVEhbkPj"
    "kZH22KKixOSkizwrswOfH8rAp+QkRDvwP0vlKngnwsoYHfxQkFaq8SaRwKaNh3WmqsokDx"
    "dQuNVRgYrmFXne0KCmjYXHv18rqntIFVWeGEWAMp4TOhgENM1lc7CCgK1RFOyukqJnUe4T"
    "OpGXZGBrlkzFQ29UhAb+o7BfP41KSS0ZyQ0eDvAr4kdJWgjyQ08Drs5CBbsQ470WEnDbUx"
    "mh12stWYJ+W0yVFnk0MHFunAIh1YpBhY1F1QMWCt4rii4GZ7Q1gRXtDhjKwUwopE6wv0PM"
    "cm1CR5hhASjBxv9JUY7jVEZljcIU5w3oHroDmeQVgQXCwOIdqhPwgXCocIBREtLuILwpwb"
    "dM8ZkR2IHsk3PwlTBovIkCA+I3EyZqtdGDqSCRL5LV1ZUfz5u1LcSLkuWLh6bakDbo4YOZ"
    "oG+KZTQQF80ynV/+DW+sCRGS0rG7U5ziGUrbPq3ep+6l8j8Y0OWO/+7tND//7pGvmeB9XB"
    "eFdhLN6VDsW7rCKuyyJGyHYqGTqdNYZOJ2/oqNfp0uW5lMpzOQZfqDlaYwlNT+1ATwU7vc"
    "rUTog0cG5rokQTJal2OxAl3xZU9LYNVZKSbOCon8koV2JLINx96Dlbfd5ZWc2L1XmkbfIC"
    "OQ5bnSGblNSjXOdRPjn7eT5jq1AHXR/Loo9lqRGXXOFYlqI14ehcfT3XgjOn6r844tZfuG"
    "e3itn6+H57A2HvQcvhVDTd4hRkRBni4t8gDgmhX57eX6A+pLjilZNMNA2bOyg4fm79Ocg7"
    "9AscvhST/yVOSuaWKYX8VFdxA9h/E6/aogU1pnCPBbnE0Gwp/krg/oCBiis0HydwCfhZxp"
    "AwmnyHNrgC/kVsjlzOB8xYeEOnjeZkzu3VcEJHQ5mLOiMLF425LR9uk4VFDewMmCNDxIYD"
    "r/OqcxU8Bn5/0AItuSfefopfBCTYhExoly/afm9wfiX8BIsk3ozJjDWYN0HusHhckO5rYM"
    "a4iwzuAXCb01yDDwAwzeW5Js+XjhtU9mCsq1ZfuGMWrDjBt1tfF8YRK9OXOzZOrhHWdJfd"
    "USXUXosDHowzDbYvFSs1lNGEU60NVJsISB1X8QCTpNRWaQE1U0VPc2iJzZequAcSGvNtMV"
    "/imeppPZFIkxJgjn0+j4tt1UUmltHAbw38yHNWinVYY5Eti7DWbKFZg+FearDCNBXPV0Q5"
    "LXbMcrfnCzW4d1Vnc0JGg1wFZCim/0IUUU4KaZirwBxSWUowJ4U0zFVgluyfEsaRhAa4Cs"
    "BJXlUJ56yghruStuHz0+rTOiuo4VaAe+tJXiKvwa8Cvnbzazd/jfzQFdz8p/VCPwpTx/+h"
    "pY7osEm7ki/a9ltXdEc/TYnvyyS2kzkTz/ejLsEnik2TmLKs703kEIbnIEa+yX/4DUZkxZ"
    "l0E8/zDuqDPmlzulipZ7V+vr3vo8qwX3daxf0XSzTQAbj/lJrwY8tDvK7cTiyj02p2q/qy"
    "XZgwbnCqx7n7YHNK2clUh75J5gvuwml25TnnmUab1AcaN1fPQYcdHUKufH2rjZbUlTFhyK"
    "QTEgeMBT5oefIC3MXMEds+pIVPuFuakL63zgsjtWJ9Wjxqt7MIdETWfl1i5dpDmRFUrj3E"
    "Eg3UHvYfPjQjSjmhQfMGQtt5+7ZKPvnbt+X55HAvqx7IpWqonleel2wg5vtXhv29QEUVji"
    "X0oZs7lJ3Uic/fSeJzfZTjLrGpMS1RioObm5RhHDfbpAKXD/gOrFSRdvm9qJY71nkuVxqD"
    "o+lUttuESAP32YPoNvBdKSAcNG8guoepJMKZsGQKdtN1pF4kojk9RV3mpLvaH/8PL/6KmQ"
    "=="
)
