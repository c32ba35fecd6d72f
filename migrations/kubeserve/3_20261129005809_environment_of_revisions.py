from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "endpoint_revisions" ADD "environment" JSONB;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "endpoint_revisions" DROP COLUMN "environment";"""


MODELS_STATE = (
    "eJztXW1z2joW/isaPnVnspmEJKSb7uwMJLSXvWnSSUj39rZ3HGEL0GBkX1lOyt7Nf19JNn"
    "6VDealMVRf2iDpyOaRLD3nOUf4r8bEHyAP0Sd02EcEEta4AH81CJwi/ke+8gA0oOumqkQZ"
    "gwNbGjDZzJPtBh6j0BQdDqHtIV5kIc+k2GXYIaLxLUHA9D3mTBF9BxwCIDBt/hlR/pe4Bc"
    "+FJjoUnVmOyXvDZFTRzif4Tx8ZzBkhNkaUW3/9gxdjYqHvyJt/dCfGECPbSn13bIkOZLnB"
    "Zq4se3joXb2XLcU9DQzTsf0piVu7MzZ2SNTc97F1KGxE3QgRRCFDVgIQ4tt2CN28KLhjXs"
    "Coj6JbteICCw2hbwtYG/8c+sQUaAJ5JfHP6b/CW0s0M4yb275x3+0bRiM3CuIWMgCHRaZD"
    "xAhiMZ4cmJeg3xgQWdoQF7j8pX335qT1NwmB47ERlZUSrsaLNIQMBqYS9Bhl+X8O58sxpG"
    "qc5+0zSPMb3Q7Gc3i2AGhjCr8bNiIjNuYfT49KAP7cvpMYnx5JjB3+XAXP201Y05RVAuoY"
    "WpMiAYUBWR7gK17D8BSpQU5bZqC2QtPD+R+rAD8viJGP14gfAT3/gtYtsWfhkJdA3+997N"
    "732x8/ictNPe9PW+LX7ndFTVOWzjKlb1qZYYo6Af/p9X8B4iP4/famm31gonb93xvinqDP"
    "HIM4zwa0ErNzXjpH7UWsYcNJ4vkSBQNoTp4htYxcjdN0itrmq6bNabYEEjiSYybAFbcZbx"
    "OXNkaFe0hYuWgPcfj3GxumbLzkTtIGLnVGFE4BG0MGpnAGoDcBQ4cC5kwQ8Q5Bj3nAQ3xm"
    "M4A9MEEu4034fmHhEfIY30XsWX6n2WC/G96JildI5U60++tj63SJ9bF1Wrg+iqo6b0WvvS"
    "KmwG4eLbMb8VaFcMu69H4UPCWGN4bNs1YVoHOGe4j4pqZ3Am7TEX3kcP73/e1NAc6RRXbL"
    "xyYD/wM29tgOAl0CrMAita/PAX3zsf1bFuvL69tOdsMWHXQ07/pJeVdy1Cl64oxglVFPW2"
    "5g1MPbrcug78ggzzEpHeVA3zCqaQMpo01KBPUd2AWKQM5hySKch/e9QxEekV/RTILc43cC"
    "iakiYCrRajeRjUvjp5rC58hFSM8sDoGFbMQCNtW+v2xfdRsvr+YK3vPR4t+RD1hD7Q4mGh"
    "ws5RJ6gYExQbOl/ULeFrgQ03fcg0Pcm8NPfBbwEirdNURMOnP5tADPmI1lE2EwxDYCzlB+"
    "HjtTxB0+20JU5R9uvP81/MRJNUdxoj3FFT3FcJjzYHcwgXSmhjthlIF8MGMB7d7NVUoFcy"
    "fkytGeztHt9G7ad18iZh1t7Ne3Nx86Cm7d+dLvtjPc2vUHNjarODWxhXZq1nBq+G6rmvAl"
    "TjtTT/Z9cNaPW0usMMdZnhqvMKJK+4w/p89YH62+bWPoFXCzoG4RLYOiFVqai4nLAM83x0"
    "Ihf3SpY/kyevkYqOuuI4YcQCGaI/CEqCcim5wmQTB1OLNV0a9NdKlgXF8bslrUSmz+0EFj"
    "HTSuy3q45bBx+JTk8e0RpoY3YZFBGO+k983vl//39+bx6fnp25PW6VveRN5oVHJeAnrvpp"
    "9B1HetFTf3tKXe3OuyuSu0wvDu41GXO0hFpTBpo4XCcqEw2qHX1wk/zrvaTVwXyoTJaVUz"
    "lTCAXk1Co2EpJaHyy1XioBZ3+okU4MKdyyuilgUtlYwxFq41ZdSUsVbrxLYpY/K2chj30f"
    "cC3pgx+3FQN15h7va7v/XLVbmUIDpvnpXqlFxdkeWxiKyr0jy2yNaPdoSqax2uGOrdpOrL"
    "5G7oqL6O6teIrtc5qv851HrUjP1zrASVcvbkJrTcOSHftR1oHYLHIAv0EUBi8Q/4v8iQ4d"
    "NHQBDvFZhjSEYoiMZTkYCNPRFutzmVxwQMZrJi4GPbUp8r2tJ1FmjM/nTACzn2icIw3TXr"
    "R3wNI2uycbKNdi5ez7kIxm95EhYbaMFUwcJWSBHXueGVcsOj9SwPcgePCudt2m6f5u4/ms"
    "2Tk/Pm0Unr7dnp+fnZ26NoEuerymZzp/dBTOjUUChmeHE6RZcvDjky9NqpFY1gX0RWxYW5"
    "8fDp+pYzlqsLMO/hG+k89K6vejcfLoINko/ON3LXbV99uQDCx5h9I+/bvWthM4TYDq/56i"
    "kakDE0dVkVXztpon3t7DPAx9qrJhjFFivN/B3Ki9+GWAStJ2wqFp1ivGMLjXd1vIXPhUil"
    "lNyEyT4gvu0lmX8ZW0BmDJAJfa/S3FbZ7gPmP3qWuzYkK5zpzJjtA/LbJu0BZCsyd4XxSo"
    "ykbpi/CnunyHWoQs0szkKPLdbKQq8Z+q91snYwq7LUpK32UB84Xuq0/nHJaf3j/Gl9HQkr"
    "Rn9/I2HS/17pDHNsp08w1ycrMT/COi1RpyXWJM5Z47TELrHk2ZGGOs4ZVR8sCHSisGGFSO"
    "fc5BA8huMuz7OMqPPsBceIRQByFkYgRW7iszjqgnklJHyOqOOaG+lV5z3uXmhS5z1uL+8x"
    "fpIqBAXSRjoskHeubQRVWl4hogkLDWcezidcNUc0ZaMhzUIaEJVVXOO0pXaU6uwoaQGk+I"
    "HaXwFEpwLrVOAauch1TgWeO8F3IVtolPvKUbODJX1mI0VDljncZyHXdmbIin7pQTq2mHny"
    "MN87gKdTX15Gdd6vmrHSFUYJWUA7w9oZrtWSkwlPnywTnj4pDk+fFPxuRMWtM22l984MqA"
    "VqcvGUjQz2cM7q3zqpv2/8CklvtYN024nIlOEhZ0IrZF0pTPcQ8s2nXsW4rZh+VdDBPi0h"
    "P/oEBfcVIfOpgtCVvOEgaaR/D3Sd3wOd2AhSYhTuoCVntfKme5j+uQxXaRVzlVaOqyDyhK"
    "lDpkglnhRP+YyZTj/UL/bQinAVRTiSo6o5thkz7dmWq8JJ6Wx9XTiZn7Ob6C5UhjPzq2ba"
    "8F0YkldLwndxwL5UCQ4D+1VeJxulL0ES5TxdgOcxokhqubyP4RCbYOQgT/62w9h55hXAM6"
    "GNvFKJeAv9L1aRw1+G0DpyrXRk/XsPjU2KRtBU51CVCBlmQQLVPugXm5eMwlWpit+QMNGO"
    "8jqOMl/4xf1UgD5hoqFfx19zCOMXR1SwKdOnFBFTcXKscNUutNcpcdkVXLitjs8MhSz63n"
    "ZgAcApqwyoQ2G2LVhbR4fbQrYEtqvbh851F3y661727nvhhI9cXVkpingBDnj8Xbd9rY9A"
    "LrVl6iOQWu/Rek/NfCit9/wsek/PQlPXYYIgFb/wM9PoYIH6g+PmFV75KVQa8Y5NZyjf+R"
    "QkUB7E79+08Ej8XCevFnINRXwS8I9CqRG1kHjPiArBZuQwtQS0yc4XHKjjl1pP+ikLSSvX"
    "KcUzFE7G9VSfPQk/F0tCRVnNxZwstthDPrb5VK0JqsR4w+Z7CG3z7GwJbHmrQnBlXfaUmF"
    "yqVkgpylvuIeZbyCiSe0EVVSi20DF8HcPXPt0OvWgVUWyOC0hxWLmIDMO42SIKXDzga7xb"
    "XsUufxZquaZKWkwaV0ieWzdprnaLzva5jXiuKiAcNt9DdLcjkjqEVUxJTJjo+FZFLvOqu9"
    "rL/wEOgWe1"
)
