from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "api_keys" (
    "id" VARCHAR(32) NOT NULL PRIMARY KEY,
    "kind" VARCHAR(8) NOT NULL,
    "name" VARCHAR(200) NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "scopes" JSONB NOT NULL,
    "made_by" VARCHAR(100) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "endpoint_id" UUID REFERENCES "endpoints" ("id") ON DELETE CASCADE,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_api_keys_tenant__967ffe" ON "api_keys" ("tenant_id", "id");
COMMENT ON COLUMN "api_keys"."kind" IS 'API: api\nENDPOINT: ep';
COMMENT ON TABLE "api_keys" IS 'One key. `made_by` is a subject: it loses what its maker loses.';"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS "api_keys";"""


MODELS_STATE = (
    "eJztXVtz2zYa/SsYvWx3RutJ5Euyzs7OyLHSajexs46TtBt3ZIiEJFQkwBKkFbWb/74ASP"
    "FOitDFphj0wY0IfCB5AALnuwF/dub+GDHkPqCjD4gxTEnnHPzZIdBG/B8FpV3QgY6TKhPX"
    "PDi2pAQL6jFZccw8Fxoevz6BFkP8komY4WLHC27U6YOxSxe8FeDNoAcwAwxPCTIBJl0woT"
    "4xwXjJyxAw8RQxD9AJwB4DBqVzjI7ETUxq8LtgMt1Rez7Bv/to5NEp4vVc3uqXX/llTEz0"
    "FbHVT2c+mmBkmSm0sDliM9g7PRPtyOKRt3Rk0esZdN9IAfHI45FBLd8mOSFn6c0oiaT4i4"
    "mrU0SQCz1kJoAkvmWFmK8uBU/OL3iuj6JHNuMLJppA3xLdIaSDB4mvdUajq+vb0YfB7WjU"
    "yXXVSiKBdnjJ4L3NuxkTj0k0bPh1ZCEy9Wb859nJt+A+MRxBLXHDT/2b1z/1b344O/mruC"
    "HlYyUYRFdhSU8WfZNNQA8Gjcg+iEGHpunyMacCeUJkN4CvLsSIx+P9YCFPQMzx8JQAXgm0"
    "EN7es2c18OW1SgGWZWmEDRcJPEawAOZLXuJhGxVDnZbM4G2Gokerfxwi+vwFzWtiLcN5rA"
    "L82+G7wYfb/rv34nY2Y79bEr/+7UCU9OTVZebqD2eZfooaAZ+Htz8B8RP89/pqIOGlzJu6"
    "8o5xvdv/dsQzQd+jI0IXIz67xFPu6uoKtVSvM4TIBl2eEGthfx9I/64wqexg9NXBvLkN+j"
    "gtqbu50d3sc8I5wma+jz9+HF4W929CJNO5vo/NIyHYrk6Vq+Jx0EtJ/OWbfvsmOPVkXkjw"
    "BFR5aN9QF3Fq/2+0lAAP+XNAYqACQGMd5mPY0mGiGl+NlxcXLiI9JDmm+OubyEJewNP6H1"
    "73LwcdCfIYGvMFdM1RCm1RQns0cyWqmy+ye3b2CiSc9pnhW4hnzgBfrFeu+qRSqRRvVluj"
    "dHhdSo7APbIhtu6FEjhHDlcGCbDogquGBmToFVhgPkp8D0DgQMYW1DUBJUjqi0zURbz5BV"
    "cAC7XMvdxjK81TZfLZ/byzXuPs/GPiE0P0EpB3En9O/tlp3ETUrVA1ZWer6EGRQOv0+t5p"
    "HS2T1yrXgk5zeqb8vwK8q/pay6ynZa4modEMspkK0DnBjRAPR+t3BLhW68vRb69ab2ImQN"
    "+k2zOiO+j3hn10B9LNpWpfTk95Mk7d903sDR6QVAeKmHWiwjp+DUXVERJ1a9Lsa05jjRkk"
    "U3QErvitWRcQ6nESvGTnAEvPi0fBGAHxmQPOcQn/IzwyHvCQZTHpeGFgyulwnl/vuvH1xP"
    "pLx0MEBkhxdvyrEtG+wNMh8RSoNg5ulPxyw8+0uexvKh7hb3/v9Y6PX/SeHZ+9PD158eL0"
    "5bOXvK583nzRi4qP/WL44/DqNv3tigvVBDzupLrMJZZoIUk8qUNZTsoZy0mOsKivWJqgNG"
    "vlquV38Me/IUPpO0qItPBDel6L/D+vIP/PC8i/hRXdprGExrgextr5v3/nvzTaKSEcSbQR"
    "4Dqj+Kx8EJ/lxrAHXc5LlUhNJNFCgPdiiDGRV2i6/deH66sSTTySyHIbbHjgf8DCLEfiDw"
    "DrCmgFFikCs0L0h3f9n7Ngv357fZFlJqKBiwzwLuKvzbxC72j5AE9LtXCQ72aabo4xYkge"
    "sAe98vDRRIXuGmMEjqrWdfkREC7qQdSnDZfgN4rJK7CYUfSAXDCDTAZ9WpjMu+IqQ4Ahw0"
    "Ve5LnjNWAYFNoVF7FX4Pfb44208+8x5rgDdv41av7ai/vPpVaJ+29AfDsX5pFeMULZJmPd"
    "uf58Nbg5B3TBn+aO9C/fDa/O+YxiY3JHLgefBm+v34tyk08lFnVEnU/DwWdx6QGjRRAnoa"
    "x2ndXRurLGiITSdZbtpmA+2yDSPSfYOq/47rUvuRgiczReqiCdlmryN9EkY4L21paj315j"
    "qI7R3YRINamXa8XoQsPg7Hujrzsjqp3yTe5nFz3Q+UbdnJbUvdzkXg7cuoox9ykhHXVfHX"
    "Vf5mrfJO7+NmrrMJFdG3mfGlkNi71/h+xxafR9WNhdY5KzZTXFCHwR4A5BAE15DH2uVoEh"
    "LBmdI7NBft3GNKbDdUTZY4TraIPOQRh0tN5bDn179V5NoXbkMtB5oJqRHiIjzY7c3SCrc2"
    "yfiOf/x6ce7BTT/KBsHcv/XdSqSfI/i6xVmcwajLS/MGBhW2ylZOLJBLlg4lIbeNIBTifS"
    "J47F8OEDQDTxSr7Aubi+BCYV4f15FWFP99jC096sNfNJNYz9ONltyj+pgnDOUoUtFlivtD"
    "XfRBeqbb3nJy9OXh6fnUTaWnSlSklbKWQJV63HqeUUjcZLDxWgWqUJ50RbhO+jqMUJDxMx"
    "HYrD1Kqa4zol0yLodza0xz4Ws0d9RGMBDWceThc5FjagCqBJEQ1pHlLD8Uc2tiysAmpaSM"
    "Oah9VGNnWXHKSxCk1ICWlYiyYAGXLNRg5XcNSmgayghjeAd6vw7PV2j2uCbin/8xhWjyao"
    "Gjv3wm2rcYdwFqvcMdaVOnfwzCpJ9z5n5jZyX3HFGEBgWPw3V4UhEI/AHGiU5dPXk9Nh6A"
    "3XkJ92j6QGxdruPvld+8HKoW+XH6w5iVOvg5Tv4jXkdZQPXrmGUP5+s1GQPF4/RsOlUxfa"
    "cSITZHMwoS7w6BwRdgSGHqtIXeKriLUsjOrYVbs7XomqNuBv5fy4/5339XZ9+01ablqiTa"
    "MQ332qDTOoU2QlL88RjyV0jvgWOeKad30vvEsH6m/5/TWpk3Wgvg6LahiyBx2o/4H3Fn9H"
    "3mGdYnUwUaFbSyVkgcBIbJxZVy/kdYEDsftKxtM4Ln7go4BfcaW6hojhLkUunNzaXlYRAh"
    "NsRSE4M2ojrvBZJnKL9MOdt7+FnjhXUxTnWlPcUFMMuzkP9gUm0F0Ww50QykAexaQc5ixV"
    "GEkScuVoTefoXgyv+je/RMw6WtjfXl/9eFHArS9+uR30s1u++2MLGypKTSyhlZotlBq+2h"
    "YN+Aql3Sse7G1Q1nXOitYZD99W37cwZCXcLChbR8ugqIVqczFxG8B8YyYs5PeOS01fei/v"
    "A+t6ECAIoCdjpB+QKw7eFTQJAhkWW0S/dtFkYYamLBalEputEjS107hdTuOnng/37DYOv5"
    "I8vqUhUwmJjWKlGofwjmPRfMfccHFPS+rFvSmLe4GtMHz6TO6HoqUwKaMNhdWGwmiF3t5O"
    "+G7V1GHiutZMmBxWDbMSBtCX7Oax6pbqzTyilKm6HNQU+9lKA1y4crEyallSc82eHpoyas"
    "rYqHli35Qx+Vg5jG/R1xLemBF7PKg7TzB2bwc/31Zb5VIG0VX1rKmukKur5DckRR6PrT87"
    "EKqu7XDlUB8mVdd7xzSBrGuvfku8+p9CW08xY/8UW4IqOXtyEaqXJ+Q7FoXmEbgPokDvAS"
    "Qm/4H/CFP67wGRJ1YE52wG3nhXBGBjJtztFqfymIDxUhbI3OnivKI93WeNjdmX2xZy7BMX"
    "w3DXrB7xJfSsycrJOlq5eDrlwl9tO1mThMUC2mBatM+Heoi4jg1Xig2P5rM8yJW7qKTk2j"
    "R2H3kPlYpwivV7iT5BaEUnWBeRqTgxdz6+f3vNGcvlOVi1cEcuPg7fXg6vfjwPFkjeO3fk"
    "ZtC//OVcnoC9vCNv+sO3QmYCsRXe88lDNKDnIdtR2vUmKaJ17fwWDZCpGYxiiY1G/gHFxe"
    "/DWATNB2wUTDrleMcSGm91vIXOhYhSSG5CpA2I73tK5i9jCchGY2RAnymN7SLZNmD+2KPc"
    "sSDZIKczI9YG5PdN2gPINmTuBcIt2tfokdm7ixzqFlgzy6PQY4mtotAbhv5TZdaqnR6Ylm"
    "qhfUCfHqg9Yal6m3vCpELOKdGUrxbqPZ+X1tnMzYlQzPe2tLZslLEey+kebnIP6yBUHYTa"
    "EK92g4NQB+Hu5J1ir3ZU3F3j1k7tcl7Pr70SOQL3Yb/L7KWpSxcsSBoX7uZl6G8WkagLkd"
    "iEeSEkfIwUe7F30qqOcj08R7SOct1flGv8JSm4gNJC2gmUN6VYCBZZbis26I4kNJx5OB+w"
    "akRwSkZDmoU0ICqbGELSklpRarKipM1d5R9Ue81dOvBbB343SEVucuD3Sgm+CdlCp1pXjq"
    "p1a+rMoxQNqZPKaSLHoktkRvt6SMVWnKcoHusVwLbty9sUZXeqCReqwihhFtDKsFaGGzXl"
    "ZIIRjusEIxyXByMcl+wSorh0pqX02pk9C6zYmlw+ZCOBFo5ZvbNN83XjJwhxbByk+w47dz"
    "084Uxogxi7AtEWQr77QLsYtw2D7UoaaNMU8tj5MlxXhJ7vFhC6ivMskkJ699dtdn+dWwi6"
    "ZFS6glZk5uVFWxjsW4ernJVzlbMcV0HkAbuU2KjIeFI+5DNiOthUH+OiLcIqFuHIHKWm2G"
    "bEtGZbbRVOms62twsn43MOE921luHM+GqYbfgmdMkXm4RvYod9pSU4dOyrHB4chS9BEsU8"
    "nYPFDLlI2nJ5G5MJNsCUIiZ38pjRBS8AzIAWYpUm4j20v96KHO4Dou3IjbIj6909Ors0Gk"
    "GjOIaqwpBhlARQtcF+sXuTUTgrqegNCRGtKG+jKPOJXzyPAvQJEQ39NvoaJR6/OXIFmzJ8"
    "10XEKMgTLJ21S+V1SFx2BhdqK/W9UYFZ9I1FYQnAKakMqBMhti9Yz54d7QvZCtgurz9evB"
    "2A9zeD18MPw3DAR6quLBSX+AUc8PibQf+tTnittWTqhFdt79H2nobpUNre873Ye/oOLj/W"
    "NSzsrjs7zMEKB7kKawyvfQTubWgKl+q9SFaDgPnj35DhnQuji0UZYmEim8eADefIDS4WW3"
    "e2aO+O3JFVF4HgqDEuQB1E2CtwRQmSDYgDYL8GNiRTnEEmtoT16BzFtqQSq1DG/vMlHRjK"
    "/6pt+FrOFFp6AuxxrwY9OO6VsgNRVG0TmuOyqJf12zeuZJtMzDr998NzwL/ROzK4unx/zX"
    "WAc4Cc7HdUpzNe1uiLl6Vd8TJL03RUZ4RsrxYN7lXQ4F6eBuu9d/e9965BnaKAoioL0UpC"
    "G4i2MBCFK73K0E6ItHBsazVaq9Gpeluo0V8dzFvboNfTki3s9QPp5RUmld1sQeaNfLbR55"
    "2V1fnQTe5pFz1wTXWTfk5L6l5uci8/ufXzcPpWIY1LZ5XrrPIG2ZJrZJUXzQmPbqtv5lxw"
    "4Kb6j4wX/UR9t1NsrY/Lu2sM9r6oOZrxqhtsbycORaP8txAX8ZQfb18fgaEH+AhaChs7It"
    "I6HldnINw9p3qDuy3aFTZ8wUk5VWGhDd+TgZ0LyFJCXWG7/wO5FHiU3hHD8UesC2xkU3c5"
    "muKxEAdgjhwPTKgrfQUucixsQHZHmANdfoc7v/esdxbeRjxwWAMsqG+ZYAYf+DtAkxfxmz"
    "jdoDU+AGz+DthCiScjXPqOiI4G8j9xO67Qi2OqDUgI9YBBffGmZc6FL9kRK7ArOGYunmPj"
    "CrVdDlXZcYVLXMEUEX5szfU5PGImXLkn4skpXEOXxS05nHYz7DERfxauNypq5UpGW4garV"
    "G6iEPKik5Jq1oSklL6WBK1pSGBPV2o4h5KaMw3xXwB56q7A0QibcoOefzzM13VSSaW0cBv"
    "DPzYZ0vFuO9YZMOg74ZNNHuO+ZbDlN9fEeW02GOG1x8u1ME5Jmo4J2Q0yHVAFsl7D0gR5a"
    "SQhrkOzCtTlhLMSSENc62MHGH9U8I4ktAA1wE4aVdVwjkrqOGuxTYC+7T6sM4KargV4N54"
    "kJfIa/DrgK/98tov3yDHcZN3e5du4Ruu6gQvWuo5XlXp1nIeu0Htmv7j2xkKfJnIZZk9eA"
    "I/6kL4RKFpIhMIIvsqOsRM3AcQ9FX+CCqM0ZISU/hR7bxHea93Wp/fVepZbZ5v7/vY8YdR"
    "3zWU3H+xRAsdgLvPgVl9bHmIy7NgkjI6D2aLPBgxZ2146K+O0m+qDzZHyp6MOgxNZDvUE7"
    "vnlCeJZyqtow84rq6eNC5WdBFyFfCtbnDSiwjwMvEUMU8UBzFb0gctt/ETpZAwvuyLPO4p"
    "9UozyHfW+JrTVvmtttsXUEdk7dYlVs4eypSgcvYQS7SQPew+fGiOlJI4w+othLZ3elonAf"
    "z0tDwBXJRl6YGcqjY4byIv2ULM93DchFwLVKhwLKE3eNcbvOtM5XWZys0hx33kYmNWQorD"
    "wnVkGMbV1lHg8g7fwipVxC6/F2q55Raa5aRxg5NVtj1RpXGTzv65jfiuFBAOq7cQ3f1s/U"
    "GJp3heTUJE2/QUucyTrmrf/g/jPIOh"
)
