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
    "eJztXWtz27gV/SsYfdrOqJ5EfsR1Op2RY2VXrWNnbCf7iHdkiIQkrCiAS4BW1G3+ewGQ4p"
    "sUqYdFMfiSWAAuSJ4LAuc+AP7VmrpDxJDzjI7uEWOYktYF+KtF4AyJPzJq26AFbTtWJ8s4"
    "HFpKgnntmGo4ZNyBBhflI2gxJIpMxAwH29y7UKsLhg6di14An0AOMAMMjwkyASZtMKIuMc"
    "FwIeoQMPEYMQ7oCGDOgEHpFKMjeRGTGuIqmIy31J9L8J8uGnA6RqKdI3r98rsoxsREXxFb"
    "/rSngxFGlhlDC5sDNoGd0zPZj6oe8IWtqt5NoPNeCchbHg4MarkzkhKyF3xCSSAlHkyWjh"
    "FBDuTIjABJXMvyMV8WeXcuCrjjouCWzbDARCPoWlIdUtq7kbCsNRjc3D4M7nsPg0Erpaql"
    "RARtv8gQ2hZqxoQzhcYMfh1YiIz5RPw8O/nmXSeEw2slL/i5e/fup+7dD2cnf5MXpGKseI"
    "Poxq/pqKpvqgvIodeJ0kEIOjRNR4y5KpBHRLYD+LIgRDwc7wcLeQRigQevBPBSoIHwdl69"
    "KoGvaJULsKqLI2w4SOIxgBkwX4kajmcoG+q4ZAJv0xc9Wv5xiOiLBzRvibXw57EC8B/6H3"
    "r3D90PH+XlZoz9aSn8ug89WdNRpYtE6Q9nCT0FnYCf+w8/AfkT/HZ701PwUsbHjrpi2O7h"
    "t5a8J+hyOiB0PhCzSzjlLkuXqMW0zhAia6g8ItZAfR+IfpeYFCoYfbWx6G4NHccltZprrW"
    "ZXEM4BNtM6/vSpf5Wt34hIQrmui80jKdgspapV8djTUhR/9aTfvklOPZpmEjwJVRra99RB"
    "gtr/By0UwH1xH5AYKAPQ0Ib55Pd0mKiGpeHy4sB5YIdEx5R4fBNZiHs8rXv/rnvVaymQh9"
    "CYzqFjDmJoyxraoYmSoG26ataZJUsgEbTP9J9C3nMC+Gy7cqmTQqNSPllpi9IWbSk5Ak9o"
    "BrH1JI3AKbKFMUiARefCNDQgQ2/BHItR4nIAgQ0Zm1PHBJQgZS8y2RaJ7ufCAMy0MndyjY"
    "0szyqTz/bnndUWZ+ufI5cYUktAXUn+c/KvVu0monaBqamUXcUOCgQaZ9d3TstYmaJVvhV0"
    "mrIz1f8V4F2211ZmOStzOQkNJpBNqgCdElwLcX+0fkeAa7M+H/3mmvUmZhL0ddSeEN2C3m"
    "v20h2ImnPNvpSdsjdO3XVNzHvPSJkDWcw60mAVv4ay6QDJtiVp9q2gscYEkjE6Ajfi0qwN"
    "COWCBC/YBcAq8sIpGCIgX3MgOC4R/8iIDAccWRZTgRcGxoIOp/n1tjtfTay/tDgi0ENKsO"
    "PfKxHtSzzuE16BamPvQtE3139N68v+xvIW/v6PTuf4+E3n1fHZ+enJmzen56/ORVt1v+mq"
    "NwUv+2X/x/7NQ/zdlQXFBDxUUlnmEko0kCSelKEsJ/mM5SRFWKqvWJqg1GvlKhV3cId/IK"
    "PSexQRaeCL9LoU+X9dQP5fZ5B/C1cMm4YSGuNyGOvg/+6D/8ppVwnhQKKJAJcZxWf5g/gs"
    "NYY5dAQvrURqAokGArwTR4yJeKbr9t/3tzc5lnggkeQ22ODgf8DCLEXiDwDrAmglFjECs0"
    "T0hw/dX5Jgv7u+vUwyE9nBZQJ4B4nHZjwzOpo/wONSDRzk25mm6+OM6JNnzCHPTx+NNGiv"
    "cEbgoGnZkB8B/qLuZX3O4AL8QTF5C+YTip6RAyaQqaRPC5NpW5YyBBgyHMSDyJ1oAf2k0L"
    "YsxDwj7rfDC+ng30vMcQcc/KvV/LWT8J9DrZzwX4+4s1SaR3zF8GXrjHXr9ueb3t0FoHNx"
    "N4+ke/Whf3MhZpQZJo/kqve5d337UdabYiqxqC3bfO73fpZFzxjNvTyJymbXWRmrK+mMiB"
    "hdZ0k1efPZGpnuKcHGRcW3b32pxRCZg+GiCtJxqTq/E3VyJuhobT76zXWG6hzddYhUnbRc"
    "KkcXGoZg32u93QlRHZSvs54d9Eyna6k5Lqm1XGcte2Hdijn3MSGddV+cdZ8Xal8n7/4h6O"
    "swkV2ZeR8bWTXLvf+AZsPc7Hu/sr3CJTdTzSpm4MsEdwg8aPJz6FOtMhxh0ewctRvk901c"
    "YzpdR9a9RLqOdugchENH27350DfX7tUUakshA70PVDPSQ2SkyZG7HWT1Hts98Xx/SGfz/H"
    "C8F/J8b9RU2QLgMk5nyHkLqKTxhiV+I0f8JW+B2dDIy+4vJ6eD4jWYkosY/n53bNYo8rf9"
    "VHzNyvOhbxYrr08a1zsvAT17DXkXZKcXriFUPN9k4KWyl/cYOXTswFmYVgXZFIyoAzidIs"
    "KOQJ+zgkQqsYpYi0wf07b63fJKVHQcYCPnx92fA6gPD9htCnXd0n5qhfj2E3+YQWUfKZzz"
    "M9ZDCZ2xvkHGuuZd3wvv0mkDOm1A+7y1k7bOTtq9mYL3QlviGYXCWjkHwocN2qVMQuYJDO"
    "QxHmXtQtEW2BA7b9WuGtvBz2IUiBJHmWuIGM5CZuapg/ZUEykwwhaSR4DI3xM6Q8Lgs0zk"
    "ZNmHW+9/AztxWs1QnGpLcU1L0VdzGuxLTKCzyIY7IpSAfLjgHu0+zFkqM93D58rBmi7Qve"
    "zfdO9+DZh1sLBf3978eJnBrS9/feh1kwfQuUMLG1WMmlBCGzUbGDVitc0a8AVGO88e7E0w"
    "1nUGjbYZD99X37UwZDnczKtbRcugbIVKczF5GcBcYyI95E+2Q01XRS+fPO+6TaXKAeTqiO"
    "Nn5MjPAEmaBMGMCmabRb+20WVmvqiqlrUKm43SRXXQuFlB433PhzsOG/tvSRrf3JzniMTq"
    "xOdDQNjLfe68Pnlzcn58dhKkPAclRZnOy6zmSG6Uba65uMcl9eJel8U9w1fo332odbWCVP"
    "QURmW0o7DYURis0Jv7CT8suzpMXFe6CaPDqmZeQg/6nL1FS7UUby2SrSpxUFOerqMccP7K"
    "xfKoZU7LFTuMNGXUlLFW88SuKWP0tlIYP6CvObwxIfZyULf2MHYfer88FHvlYg7RZfOkqy"
    "6Tq2dkeawi61lpHjtk668OhKprP1w+1IdJ1fVOtjqQdR3Vb0hU/7Pv68lm7J9DT1AhZ48u"
    "QuX2Cbm2RaF5BJ68LNAnAIkpfuD/ooEKnz4Bos7P9L764UXjHZmAjZkMt1vqC+7LT7cPXW"
    "yZ2fuKdnSdFT5mVx2iILCPFPrprkk74osfWVONo220cbE/48JdHoJRkoSFAtphmsHC1kgR"
    "17nhlXLDg/ksDXLR6SZxuSaN3Rc56KRUOsXqk032kFrR8tZFZFacmFufPl7fCsZydQGWPT"
    "ySy0/966v+zY8X3gIptPNI7nrdq18v1Pe4Fo/kfbd/LWVGEFv+NfeeogE5RzObV7G1oyLa"
    "1k6+A0LXrJrDKJRowudDX9pZBM1nbGRMOvl4hxIa7+p4S5sLkUopuRGRJiC+6ylZPIwlIR"
    "sMkQFdVmlsZ8k2AfOXHuW2BckaezoTYk1Aftek3YNsTeaeIbwWI6kb5nth7w6yqZPhzczP"
    "Qg8lNspCrxn6+9pZW+1bBnGpBvoH9LcMdCQs1m6TXczC/l5rD3Mop3cw1ycrMa1hnZao0x"
    "JrEuescVpij5hq70grO84ZVLdXBDqR37BCpHMpcgSefL2r/Sxjh86Zt41YBiAXfgRS5ibO"
    "5VYXLCohEWMkO665lV513uPhhSZ13uPu8h7DN6lCUCAupMMCaePaQjDLl5eLaERCw5mG8x"
    "lXzRGNyWhIk5B6RGUd0zguqQ2lOhtK2gGS/0I11wGiU4F1KnCNTOQ6pwIvjeA7ny20im3l"
    "oFm7pM08iNGQMpv7TGRbdIHM4KQHZdhiztRmvrcAz2auukzWfr9qwpmmMIq4BbQxrI3hWk"
    "05ifD0cZnw9HF+ePo459yIiktnXEqvnQlQc7zJ+UM2EGjgmNVnndTfNt5D0lvtIN11IrLD"
    "8UgwoTWyrjJEGwj59lOvQtzWTL/K6aBJU8hL76AQtiLkrpNB6Aq+cBAV0ueBbnIe6NRC0C"
    "GD3BW0YK9WWrSB6Z9luMpZPlc5S3EVRJ6xQ8kMZTlP8od8QkynH+oPe2iPcBWPcOCOqmbY"
    "JsS0ZVvsFY66zjb3C0fzcw4T3ZWe4cT4qplv+M4PyWe7hO/CgH2hJ9gP7Ff5nGyQvgRJkP"
    "N0AeYT5CDlyxV9jEbYAGOKmDrbYULnogIwA1qIFbqId9D/ai+yfzKE9iPXyo+sz3tobdNp"
    "BI3sHKoCR4aRk0DVBP/F9l1G/qxUxW6IiGhDeRNDWUz88n4qQB8R0dBvYq9RwsXFkSPZlO"
    "E6DiJGxs6x3Fk7V16nxCVncGm2UpcPMtyi7y0KcwCOSSVAHUmxXcF69upoV8gWwHZ1++ny"
    "ugc+3vXe9e/7/oAPTF1VKYtEAfZ4/F2ve623QJZaMvUWSO3v0f6emtlQ2t/zvfh7ujbO/9"
    "CnX9le9TUpG1f4tKf0xojWR+BpBk0ZUn2Sm9UgYO7wD2TwC+l0sShDzN/IxhmYwSlyvMJs"
    "784G/T2SR7JUEfA+PiUEqI0IewtuKEGqA/lJ0K+eD8mUX6WSh4RyOkWhLynHK5Tw/3yJJ4"
    "aKf6sdAZrPFBr6TdDjTgl6cNzJZQeyqtgnNMV5WS+rD/RbytaZmLW6H/sXQLyjj6R3c/Xx"
    "VtgAFwDZyfeojDLOS+jiPFcV50maprM6A2Q7pWhwp4AGd9I0WJ/GuuvTWA1qZyUUFXmIlh"
    "LaQbSBg8hf6asM7YhIA8e2NqO1GR1rt4EZ/dXGorc1tB6XbKDWD0TLS0wK1WxBxgcuW+v1"
    "Tsrq/dB11rSDnoWluo6e45Jay3XW8t69n4ej2wrbuPSucr2rvEa+5BK7yrPmhBf31ddzLj"
    "hwV33fRDObcpnLkO+yTzRqr3Dd47B5dRe+zKak4k9vVLa9fffSM27isfyylqiW3nYHiUEg"
    "fsqkSlkLCZsjR3rVx5Tn+vO31vmKs+/EpTbL0izaPZa5BGS8Qv5grK9P/gV3iuV76vOWin"
    "ynTyjRQJ/P9ndVT1Ell5rfvIHQdk5Py7jjT0/z3fGyLnmgm5qq1tj9m5ZsIOY72Pyr1oIq"
    "7vlQQm+309vttN94ld84ZdftL48FOdiY5JBiv3IVGYZhs1UUOF/hq3NAKrHL74VabpjQnE"
    "8a19jnvun+9tpNOrvnNvK9qoCw37yB6O4mEEsJr3h6QEREZxpU5DJ7XdW+/R91XqbX"
)
