from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "webhooks" (
    "id" UUID NOT NULL PRIMARY KEY,
    "url" TEXT NOT NULL,
    "events" JSONB NOT NULL,
    "description" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "former_secret" TEXT,
    "former_until" TIMESTAMPTZ,
    "failing_since" TIMESTAMPTZ,
    "disabled_at" TIMESTAMPTZ,
    "disabled_because" TEXT,
    "created_by" VARCHAR(100) NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_webhooks_tenant__c80e84" ON "webhooks" ("tenant_id");
COMMENT ON TABLE "webhooks" IS 'A receiver of a tenant.';
        CREATE TABLE IF NOT EXISTS "webhook_events" (
    "id" UUID NOT NULL PRIMARY KEY,
    "type" VARCHAR(40) NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    "data" JSONB NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_webhook_eve_at_61bd51" ON "webhook_events" ("at");
COMMENT ON TABLE "webhook_events" IS 'Something that happened, kept while it is delivered and some time longer.';
        CREATE TABLE IF NOT EXISTS "webhook_deliveries" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "state" VARCHAR(16) NOT NULL,
    "attempts" INT NOT NULL,
    "next_at" TIMESTAMPTZ,
    "tries" JSONB NOT NULL,
    "response" TEXT,
    "delivered_at" TIMESTAMPTZ,
    "event_id" UUID NOT NULL REFERENCES "webhook_events" ("id") ON DELETE CASCADE,
    "webhook_id" UUID NOT NULL REFERENCES "webhooks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_webhook_del_webhook_606fba" UNIQUE ("webhook_id", "event_id")
);
CREATE INDEX IF NOT EXISTS "idx_webhook_del_webhook_89449a" ON "webhook_deliveries" ("webhook_id", "state", "next_at");
CREATE INDEX IF NOT EXISTS "idx_webhook_del_event_i_9d8063" ON "webhook_deliveries" ("event_id");
COMMENT ON COLUMN "webhook_deliveries"."state" IS 'PENDING: pending\nDELIVERED: delivered\nFAILED: failed';
COMMENT ON TABLE "webhook_deliveries" IS 'One event for one webhook.';
        ALTER TABLE "quotas" ADD "webhooks" INT;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "quotas" DROP COLUMN "webhooks";
        DROP TABLE IF EXISTS "webhook_events";
        DROP TABLE IF EXISTS "webhook_deliveries";
        DROP TABLE IF EXISTS "webhooks";"""


MODELS_STATE = (
    "eJztXft32zaW/ldw9Etn92h8EufRrL1nz5FjtfVOamccu51O3CNDJGQxoggNQVpRZ/u/Ly"
    "74fkmEnhRz+0OakLgg9QEELr77+ndn4g+ZYO4zO+l5HpvOPNE5I//uOHTK5F/KbndJh85m"
    "mZtwzaNDW4kI68kZWM6ApgWGwnOp4cn7I2oLJi+ZTBiuNfMs7oDURyrEnLumIN6YemTOXE"
    "Y812ImsanH7AWhjhlcnbvceeqSEXcJdxihhsF9x+sSapouE4LI6yZ7tgx2Ak82uSEfbTlP"
    "u3yI71j/8tnA40/MGzNXPurz7/Ky5ZjsKxPRP2eTwchitpkFmC0GYkxP37yFjtT9gbeYqX"
    "vvx9T9QUnADxkODG77U6coNVt4Y+7EYvL3wtUn5jBX/iwzBbrj23Y4TtGl4N3lBc/1WfzS"
    "ZnLBZCPq2zB0IB28SXKtMxhc39wNPvXvBoNOYVgjidQghJcM7sCUsJxwwk3p14HNnCdvLP"
    "/59vWfwXMSPIJW8MBferfvf+rd/uXt6/+AB3I5r4KJdx3eOVW3/lRdUI8GnahRSGBXw1lE"
    "/MrxygGP2+ewtoKrulhHFxKwk89iH2g/wUv89fTl6+9fv3v19vU72US9aHzl+yUDcHV9p9"
    "BN0BSWY7AimpcSEc+asnJIY6EcpGYodRL95QgBXoLe3dXP/U93vZ8/QvdTIf5lK6h6d324"
    "c6quLnJX//I2N9XjTsivV3c/Efgn+efNdV/ByYX35KonJu3u/tmBd6K+xwcOnw/kOpbCJL"
    "ocXfoTlqvRJPXlwIUhNSZz6pqDwh1+yqvaFm9NT6f5K9ShT2qQAE14z2Tb6X/1mOtQ+8pk"
    "jmd5i4rdqdBs1S7FQoGBFUhYrOZG1SMz5gruECrkdkGifsjNjDlXl2Tm8mfZpUvgHWGfYd"
    "PiPrRmHyXbzOeOJYTP1IIv/OEXJl/997p7j2UWv9kL66lyEQzar14Bw42juZtNsPz91+np"
    "q1ffn7549fbdm9fff//m3Yt4HSzeWrYgXlz9CGti5guNFsnqLSgZuLq7fiKxnR3/0LtQZs"
    "9/8+JFjU1ftqrc9dW93MYUfhIaIKdEWojy6Zs3NVCWrSpRVveyKBsuAzykxq+rA2QlW6gI"
    "dOQPNG8cexEucUeiGISrcUEvSI+6LzfVQdkWcn9/dVk+3CmR3Fj7vmWegOARjvGSMVVf06"
    "tgkNLwq1/6Z1HNyqJbhPYH7jJ5vP4bWyiAr+R70HItOlGN7sOejhPV5GoyLV06j7WZ9JyS"
    "P99kNvOCFb736X3vst/582Cq6w9sztxb62lcyamkW6xSWEfQduAmjetrqvMxJ1O6ICYnNp"
    "AX3lgqnUM2kpOpSyyHCD5lxGMOdbwz4sqDrgVqp8tGElvQPi2XcBv0UY9PmCOW6LO7eNIG"
    "5AoquIdUcHGD2HiDSO+3+trVPrWqfU7vI1GijoBd+SQX6QD8su0purtqaxJBu9rb0tDlcw"
    "GLPJDwliBgMWCm3B+AcPcdkwwXsBkQ03piwiN8RCxPEIPziVVC6m+hv422mDXo+4wQsvfa"
    "7H1ohdGBPCXSwmP9tiBPQSzx0OJNYoEWwntai5s6XcJNnRa5KWRNqtFvL2siGHPWGPKUWA"
    "vH+0jGt1KhSw8w+zqzZHdrjHFWEoe50cOMh1tkP5H9XHK0VMCXnyujMVl6qIRfpkl0npBH"
    "NqWW/QiHwAmbeUA52nwuj4YGFeyczC05S3yPUDILPcGUdxecFwW0ZbL7uTwAlp4yd/KMLZ"
    "Ob1YvP9ted1SfOzn+PfMeAUSLqSfDH6//pNG4h6i45aqrB1jkHxQKtO9efvqlzypStltiO"
    "C+dM9X8NeKP2eMqsd8qMFqHBmIqxDtAFwbUQD2frNwQ4Huur0W/vsd60BIC+zrDnRLcw7g"
    "376I5kmI/AXNPzTcvrPzN1HCgN0kgarNKvKTQdMGhbU82+kWqsMabOEzsh1+CZ2iUO96QS"
    "vBBnxFKWF4+TISPwmROp44I/AFhkPOIx2xbK8CLIk1SHi/r1tjtfrVh/7gSOCNBaase/ox"
    "dBI70IkkGqq7kkEi1UEl/XUVleV2ssrwsKS7P9ClBB2ZLdAT2hsx/Sy1rK/8slyv/LEuXf"
    "tjTNpokEYlwPYzT+7974r0g7LYRjiTYCXGcWv62exG8Lc9ijrtRLtZSaWKKFAO+EiDGZV0"
    "rd/u+nm+uKk3gskddtLMMj/0dsSxxjtO8SaAGLjAITIfqXn3v/yIP9/sPNRV4zgQ4ucsC7"
    "TP5s4ZVaR6sneFaqhZN8O8t0c8iIK+fZ8qhX7T6aatBdQUZYcdO6Jj8nTsWgvD4h6OALt5"
    "xzCEFgz8wlY6oiZ+VH60y6cFUwIpjhMi+23EH0begU2oWLlldi99vRgx6cB+fXyFSYPCNg"
    "OiDtRFn3aDJEk2HT2d492AxdblfYDPuOPy34hmS3mVC2yRtM5+bX6/7tGeFz+TYPTu/y56"
    "vrM7lETC25aFz2f+l/uPkI9025QNh8Bm1+uer/CpeeLQgTy69itc5qb+sc1fIMRuqk9rYQ"
    "fK0WwTXc4wuCrTOlb//IpnZQZg6GCx2ks1JN/iaaxECgibca/fYyqOjYu44e1aRRruXYSw"
    "1Dquxrfd05UbTkN3mcXfbMJ2sNc1YSR7nJoxzYgjUd9TNC6Kq/3FW/yj6/jrP+XdzXcSK7"
    "0l0/M7Ma5rD/M5sOK132w5vdFTzeVDXTzU9iOYSGWUGW5BbJtyrNhpfMRhVCgqnwjsLHBw"
    "mdoyB08NxbDX17z72oQm09lQ8Gj6JGejwaaX7mbgdZDMw9kJ7/d597tFOu5gf3Vmn5/4JW"
    "NZX8XyHUVUXABjPtO0Fsawr5l0xrNGIuGbl8SjxlNecjZem2YPrICQBdnKsfcAbXVVZBh5"
    "ccEXb0jA0M7c3aMw96wtiNjX3K5SdV4gNaeWBLBNaq4NAwim7rBRw8qVo+scFw4bESVJed"
    "hAuiLcJ3L8filIXJMWfcCuOxas7rjEyLoN/a1B76Fqwe9RFNBBDOIpwum9mWQXUATYsgpE"
    "VIjZk/mFq2bemAmhVCWIuwTtmUuwsJ0lBHTcgIIaxlC4Dy0xaDmTzg6C0DeUGEtwivzanp"
    "AUwayGZkENRqUAcAwRrAxnII7hJw15myuBBUwTpnwzHnEx1Q0yIIaQDpRvEyqznlG4fdcf"
    "nHPhjlJtA4W/dw2JTNDOEspzMTrJfymcE762RB8YXHp8w9J1DDjxi2/Ddz5d9Uwb4ZLas9"
    "qyGHET4NZx8Pm7SuQXEM289Ggj4G1dC3y8egOZGsPcNgQtxByamKjSTdYtVuwuUvHQ+okh"
    "gEdazq7SwQaqqkgupXSbzpmD6zOPuV8j0+U9YuPpJbx5NLoTB5WKg8qGtOy2p0bbv3DXap"
    "L56ls3yGzVu3eu6+UIoaPk0zZFpmA9Vg9VniWKyQxxoC1BB8m7QXYWTINz3KDVI5pI7AXe"
    "sP5YDynpusSvEotKunfhiyaW03fGgMJ1LwmJlTqJXmcv9pLLf/sLLaCXmMdgWV994LHW4M"
    "BgkrpEIgNQeTsSkzy/z3t939BooHvMoaAek5MVREtBWRIM2dZkqgjFCT/fsPDHt66zKlmm"
    "F4A9/V0rDzci0E+/RF3SRjS7OMFQgLYfBZmc9UdZqxRALTjG2UZkxw3zW0iLi0TPuS7byu"
    "NcNfL5ngr0uSXcDeZ4ypDY/RArso2cJl5eXpuzphVqfvquOs4F6uKAp39OZ1LICTutakDi"
    "oED6y1SjHmZFvINB/7Oe94ORsc5jWHudFMZ1NGVYPqbFYESysgxahPLBnaAA+dlZGJxWVg"
    "O7hiLO0Boz7fB3Umylnm93ERijrUsmpcP8eLy+U+O03szVRMVILjwDR+QmQTf2hbhrIwQ7"
    "Zjh4f5k0uTwWzQHeRcTjNdghBl5XaI/NkQoqK8klTPM8ZndlC1FRLPQFHXc0IJYGIZUb8O"
    "e3C+zCfQTfxf+HCoWxVY0AO4gl7DIrCekG8tu4rzXW/Z4WtJvs8tUqnfFH+NZUp3W6zhwL"
    "mCG6bC79pMgJz1wTjr1O6jg39BcKNhaNh03/coKDVmKrdarrV55sT2t7RHhtBwrRtSYRmd"
    "vSw9r05rLD2vTiuXHriVxR70JZ2JH7XH+b7+fEef6urp3i6fanRj+9Z4b+RpMZ0cUmD1KD"
    "D58ks4sPBut6Z/pWpdOwka9QiNEhlT2+ZzZibckOWkkpd1ieABW6TykVGXqULoVExA5Eli"
    "X5YAbav9BzxZ4ClDgrahH2bUNRBu1JadnpOHzkNH5U4jvY9XhDomNCJxWqIo4VoqMXNZ3u"
    "aIvc+4/CUysd8OJnRuUOYqdPc8uLvnAVzg1jvC7ue8uhtnIWTL8NzasKFo8bkVTzToedI8"
    "ONHzBD1Pmotsk4/dlwxcJpbEOKYadGsdvk0loBfjGMhEGQzABUOdYaMzsyfPxHLaKN8MmK"
    "ZB0GLZWXv9ruBYHdX5hv/gWBz2FZy+IU35ubocdiUYA3eRB0eOvMSC2gMpOWTenEEChzkn"
    "M27b4pw8QRylclIhjBrj4NUMPmWQ7IHLa669kM+ezVz+LJ8j/7uWZ3c5WHzIzYXyZjGZYZ"
    "ny3oJVHdIxxrIRp7/qQ7daXo3wM6oLe0aodaDvoAYSMhu7m9t45j74mRujKvfCKYV6gA7K"
    "KRFcQmosIYnOVES52gyQEVoriWrjcN52unpk5b4FxwKMm/wmhhlOkGt9zBlB9BFq8hhHB/"
    "/iEF9wbjPqVCgcKbHcAA+lXKvG9OLm5kNmOC+uckbv6/ufL/rysKjGUTayvIwtHCORtfA+"
    "lkjkViJ6MHNQa9BskjWomaC2wBh0pMA22Rb0o1tdrCG4161lAVL75Q6cLwNHxhGdWvZChe"
    "/adhhYHNpU5FvDdau0Cu1OnpN3xoTEmFKI+qbs1ghbhUm9xXlo2NnMHXMTH0ssNrHtYhNo"
    "cUCLQ0O0IrQ47GVy7yaPI9K23wLXg7TttzHMEsJ1vuW0HJK2DR/hgVx45VlCZ2PMSrVxa6"
    "y1M2oUHEN38/bwi+2Bs0kEY0NRbQHDeKzINplivGUj+SmNl1XzyzTp1iIc3UBEq54fVHy1"
    "LWeSqqT3nSDGmAIVOCJhl3HiwitPEOGrEn3cJSMOBKJQPuEBwce+lpCOO3rGBqSgetQa/t"
    "95udb5Iu/eARzPfuvsxEd3MpD72jpHv5QYnvyaPL4HdCA5os92fQX6yd2aphfbLI8T15WK"
    "XnpaNUzP+yTHSv5EOVwVWl6qQT0dTwQCA8jdXE/D60GeZzKjlhuG7bnWs5wE8orrQSFD5h"
    "juYiZnRRCbB01AYGTZLDLEjvmUgSJmMrcs1nCr/YMpWaqGzpPaCAiZjxlUZQyszXIScKUE"
    "ymnvsQ2VwImetXKCeanXVPnCGVEE+8JyqLuocN1NhPJ+nQsvsGge53pW6tkZmiHjnV+ie3"
    "F13bv9LTZaxtv/h5vrHy9KzJYXv931ezmSK0j0rmMvTiTQXryBvThen+quLrFAC/0gdhDg"
    "inbiSujbm3QnUQu0Rz0jiSfLpp0sCwehg2ns94KZvajuSadcac+2qae3B8RGpqDKatX9Tu"
    "rGj1886zFdpeW7VGGWrlSlZ16Q2kMQmztP8H9QqeMmxOC+bapEG1WZOXf3mA20c9N6YqLk"
    "Q6/eQhMJ1NFbTsvucyRwbd3W2vqrK1eOJTmWkvv11tQ5tNfJsPRJrk4qmRAMI7i9J6mPgg"
    "TCQcGsM1jMHC9KIRx7yzvhBfnXIM1BcSndyRO27P2OGYbh3j4yDKOPyVZddjAfyc4DDPS3"
    "f9z2cdtfvu33bIuKii0/uLdqu6fQqn4aRXgMeJCM4ZTyOHO56avwqsewbGYQZCb/BrFuz3"
    "LrhfOLOvpM5UZtl5k4ttFlaU0BdRvuKmw2qhyAUW3bjmrDgpo79GkOv5IivpXKaUoCk16V"
    "JPXwZ+aarHhWElnxBu/u4dsno652EM1TRloGjxnLPXHiHXpzT5yfo66OE9eVnjjpadUwT5"
    "wA+nIlNB6WpUqo+nFaOqgJXs/KySXcuUoIo6UtSzXGJAgAVUZUGRu1TuxaZUy/VgHjO/a1"
    "Qm/MibWgoNQy9aX/j7uM5lJwZ8l4EkXN8z4upbq6TpLatMj+tPUXR6KqowNLNdTHqapj1a"
    "gmKOsYIdmSCMlfQq6nXGP/JWGClurs6U2oXiykP7M5NU/IYxDk96hsso/C+oMNlN/xI3HY"
    "M5h0lUdZ4PEuZ6ey7I4syDYMSdSGC3Vj6Fu2WR4PuaPnrOCY/elQXpTYpy6G0Yz5c8Tn0C"
    "VVNU63wcPF4Q4XwfjVV8ISASRMS7Qw/QDgbYf+HhrQXeeri9ezIsjL3FCycm2au3vxSKkV"
    "h9CXi0NBGTp0TEIn2BeZqbkwd+4/friRGsvlGYl6eHAu7q8+XF5d/3gWbJBydB6c237v8r"
    "czAmeMxYPzQ+/qA8iMqGWHzzx4bAP1PDadeTpn7bQInrXz30BVgqpqwqhdyan2TRZRE8pF"
    "6uCdSCDe+njDmYs5WrGsKZE2IL7rJVn+GBsgGwyZQX2hNbfLZNuA+b5n+cym62TsyYm1Af"
    "ldK+0BZGtq7iXCa2kkTcP8INq7y2bcLWEzq8O3E4mNwrcbhv6+o7cjG8twobPUZKVayA+8"
    "rJXy++WSlN8vMeU3WsKUAgoHcqkSPcndQn/ki9IY0t0cD8XiaCu2ZY1xTsvhCDd5hNEJFZ"
    "1QG2LVbrATaj+scNUpt2rHt7srzNpxpSzVspZdOxI5IY/huKvopScXcuuqxGxgbl6E9mbw"
    "RJ2H8cpzCoHK5VbsrfSKXq7HZ4hGL9fdebkmX5KGCSgrhEagIpViM1rG3FYimpJAOItwPl"
    "u6HsEZGYQ0D6nUMKY6VF/UHom+DdI02lwH8rA5Ir4+4oE6vg7dl5VEOqDJdACSutXbRntJ"
    "XQxvwPCGBhFBTQ5viKie21An7ixnhOJm3ZrM0CCjbNcJWDbZzOYLZsbZaxR9A7n24bXOiT"
    "Wd+uoxZTHMesKlhA9LkV9I+SDl06glJ+dy86qOy82rapebVxW5cDS3zqwU7p05UCtsJtVT"
    "NhZo4ZzF/E3NZ4AO4MjbOEh3HVzhetZIakJreJKWiLYQ8h2kFI1xW9OltKKDNi0h+44Kk2"
    "dF6vluiUK3hPxMC2FxoE1Y54nNqOsMKnfQJfGnRdEWurTX0VXeVusqbwu6CnOeLZc7U1ZG"
    "nlRP+ZwY8v6bu1QjI/wtMcIxHaV3sM2J4cl2OSucps4254XTXmjHie5KZjg3vxrGDd+Gji"
    "fllPBt4paylAkO3Vc0XAQTJz3qxJ59Z1CA1WWKy5V9jEaWQZ44EypfzZjPoTSrMKjNxFKK"
    "eAf9r2aRw2w3yCM3ikfGHDadbZJG1Cj3FFxCZBgVboJt4C+2TxmFq5LOuSElggflTQ7Kcu"
    "GH99GAPiWC0G9yXuOOJx/OXNCmDN91mWOURMNWrtqV8uj4mV/B4djKfW9QQov+YHNaAXBG"
    "KgfqCMR2BevbFye7QnYJbJc39xcf+uTjbf/91aercMLHR111Ey7JC1agx9/2ex+K6d5MeV"
    "DVWU1iCeR+1l9LMAFTNaGzi1QpmL4A0xc0AX3kNZHXRF4Tec2IueS2LTXWTgWvGd7truI1"
    "g3YavGYocU7mY65yattyXRIBy8gdMnL5lHhjS8iG8y4RHCjHMZc/ilDbhvzaQE8K4nEyke"
    "tBObe55Wc8OA+OQR3TguW/S1zfceTDCKEk8uv9LnCt7Qb1JRVbGtqEH5whG8nvg2T+gzTh"
    "Eb+qSlZS9c4wuMFbqr95/MFxfVv+M/ufitoWHpvJ95U9f/FNOchkuOiSR9X85Bb+fHxwoE"
    "1XtZT7WiisPhqgfeEdggbwuvMxczK075xGYeEP8uw4YU7SRfgSUgD6kBs6VEuC9iPLFfLN"
    "GNzhRM0W2af8EQH7nfkRAZEYvUjUIirLrUYH3g4ebtuLMgTgiVMp5bvMlD9dtTu5gz/lTz"
    "f4dCbBMdNSQGDP5DVLUW6CmNZoxJTwcCFnge8acgQf4ao4gd0SuhkzY5LDH7qJwJN/cB6j"
    "p17J5nwCxcY9YlMhf/yMCpF9j2D8BRQxlT+fUWMc9KV+/Fh2EYh0U37bAVgwUDMmX9OR/R"
    "q2Jf+f7VeF9AdTXuXjkcJdVcNcXp2SOSNUTNTD4+n84EB+Xo8JWKbS/UAruEXgXvBq8Otk"
    "B0GddBjVmU0XRYhH1A3GFNIOwASNGnZVrdZn+e2c3IaXHtF2gLYDtB2Ep7ojyw4eboSas7"
    "Zze399rfKAh/IPzqU8F5wRkztyObq9+fChfzm46L3/25naFJn5V9gNH5z3vev3/Q8qQ7gB"
    "GMCtB+fT/cf+7ae+SjYufLk6ypWzKcnD41VWh+XKCCFrvgnTlczPuuCnRBD6DaAPlF4d5B"
    "MJBH4TIx0cC7RI9UgAYd9oqbHLHOmXLTR2qeM8wq472zUU0Kg5Wj2LuqfiCHRZ85RYCynz"
    "I6HII0yWZ4MIKRzdEU7LYZaXJo/wkeRUO6IDuWIUdTb1WAA39Y2cnQLqVuvQnJJB8DcBXx"
    "HeWtDHEgj8BsAHnL8O8IkEukOhOxS6Qx3ZArMPdyhlItTCOZZow9zeA8Qp62kR52qbY05s"
    "A+NjwyDfTrKgyGKsxailZHBDxNhw9KHU9KFca8zTcsgPNZkfQi9Z9JJFL9n1vGRv+TyYHJ"
    "WesqpFt5637MCNGq/0mIVu0x6iUjp0pxNd4jueZSvfVSrOZAPQb7qECgLbetEzdsO+Srz0"
    "6vrjRb9bb+XJSu3XP6+Ry06XVDvjRVMqC+6F5VB3UQXvvIy1izO6Hed6UwbrRaj5xru01J"
    "Ivrq57t7+VExkXJZryxW93/V7Z0q+zNBW+iOKI3Tjsjss/6u8RKVf9Y/wOVm4Q2WWgxv6w"
    "6Zrfm1lyk65Y7sObq1Z6OrMGE7bQiIuQrU/I45SakFTxEXzgKRH+8AszvDNYl20umAgLtn"
    "mCTOkE4hrgYnkMxAb9QbxDtC2T0CXfI3zGHHFOrrnDVAeyR/Y1yCKjvN1VTAOfsCSbTL1d"
    "43M2Nbz883ctx+5qMqt041iTLDzop5LlsV6d1qCxXp1Wslhwa/lmMrGq8t6udkSOZJvM0X"
    "Z6H6+kkjOzHpz+9eXHm6vruzMSuAbpDsa7GmPxrnIo3uXpRMzrHiN7WouuPV1C154W6Vr9"
    "RMOYX1grv7Aw+EzPEzKRQPvxBrRtuNPrTO2USAvnNiYYQHI8024DcvzrzJK9rUOPZyRbOO"
    "pHMsq1GHKI1x34Yq3POy+LtpAmj7TLniFIe41xzkriKDd5lA9u8TqesdXwzcC6klhXskH0"
    "cI26kmVrwt7ts81cC47cPHsv5K2fuO92ytn65H53BWHvQ8vBWDbV4OxjktxyCJf/BnHInX"
    "J/9/6EXEGOHroQ6Uw5UXNBwvrZ5dz9FvoFDl+JJXlhgsw63DaVUJCrR94A9t+ki65sYRlj"
    "uOeEyZCg2Vz+lcH9BwdUXKn5iNAkEKRJgpww6XfogingD+Zy4nH+4BgzfyC6ZMqm3F0Mnq"
    "zhQCXTmbCZp/LSwMPBBm0ZVDw4QsVwDB780xenb8PHwO8PW5A59+Xbj+mzhISakMrJ47Nu"
    "0JucT1P4CTZLvZmjUkrAvAmTH8nHhfmKDOo43CMG9wG4KlvF5/wHAJgWEtF8Ti3ZSYPaFo"
    "xl5bZKd8ySFSf8dptrwthjaa1qw8bBNcKG7rIbqoRotdhhZc9xuH3pnFIjGSScGn1AdZmE"
    "VHiaFRjTUmvF7TZMFT1M1cUqh6kluJc7TCHmtTGf04luudFYpE0R6vsuMOpRV3eRSWQQ+L"
    "WBH/pioVlIIhFZs4pEwxaaJRhupYgETFP5fE2Us2L7rNdxvFCDeVd3NqdkEOQ6IEM1sGem"
    "iXJaCGGuA3NEZWnBnBZCmOvArNg/LYxjCQS4DsBpXlUL57wgwl1L2wj4af1pnRdEuDXgXn"
    "uSV8gj+HXARzM/mvkbZIeuYeY/rBX6Vh51gh9aaYiOmnRr2aLdoHVNc/QdFPUAWyZzRa6o"
    "d1i8A2yi1DSZqeqSnMcGYXgOcdhX9Y+gwZAtuKPMxNOigXqnT9ogyLh5tr1vowxIUDhHx/"
    "yXSLTQALj9kJroYytCvCwfZiKDYTWbpQdcz02YtjjU49htsBsF8W9VdfjAqXnHhFehNsS3"
    "V6kMUT45Dec1aK68yeCxInSNip245Kac8TKjq73WNukQ3NVmtlQlUvXdrLDamEpD8hj/wh"
    "No96iUCaHqm0GVNMhlIqXluMupITLF0cA77abne2MSXkwVSVN2AKmGZMqkqSp4EMgeVC+D"
    "KLkHR7ZWCyc40zmqTCBXsfTWMxPnamDPIr8z+AMcz7pEObgR05Jaj3I1m0KEvPrtUD0Nso"
    "iGv3YB7UbUsuW7wGvIH2zB+u36Mw8AkNdUoi3CqBtkmC71VUtOFBUV0z6HdaL0/NOwdNq+"
    "Sqcts8i2s3rani2yzTskNHcr13AArPaqrz4FpGVaeA7YviMg7Hs6Z4CoPer/G1UYOq6ijP"
    "rQd/5+37+H6onyIT5UVCzWZ/zh6vrq00/QZmQ5lhhDqx96V6oUY6C1PDhyre3f3t5/vIOL"
    "KeUlryrW+Xa2X4kxVN901qeUSAtzYW8dYcyjX30mxjz6+5vYrcij/y1ijJlVvsHMKnEh53"
    "XGPSeLyRiaxrMWPHXXGuesJI5yk0cZywi0fYTRLwj9gtAvSMu4139mzioLX9CmW9PMN2DQ"
    "vKax7xOfMm8swSZU2eiIx22zC7klwNLFXZO5RYNeXaFSO1T0mkssUZggoZEJEqoMU9+YVW"
    "prJYTlE/1pKXdQzdunZZC734C7P3htviMagPXVlfRiv7nCkvZ4OU50V6osufnVUKXlls24"
    "u0prCRvVVltc1b6m3tIjoyCbk6pYpJQQm41UUizw6YEI3pHsgAhPzrOiBqMvvlKXGXF3Ks"
    "+oJV41QZJ4TPvUTK0mHLfCCFTz94lEC/n7LdeswJoKu66pYP0Befo93dwpWbk26ed79hpD"
    "RRIVSVQkNRXJX9lwzPmkQoOM7q5SHedBu9oqo8sMZoFrN0SmkYAdLNMNS9upwmeKWSPRf8"
    "qXvUseXYksFezkPx/BGfvxPx8fHMEMl3lxS8GozcxzIjh4rj+CBsHcQdDoMfBSD1OsyttC"
    "TmdmQo7UsPJm1F79S3YOblUqQY0lJzrJZmyFe74L1dsiz3cifMNgAvqVzVP+6CoCT+VQnY"
    "Pr+5zZdoWmW9BpQxoaXcUP6yruu3YR5mqnqrB5K/SqfbtUJaR6XaoukUCibgOiLv2aGnM9"
    "J7a/Od85wBKykxkf7E46mCcSuMSsAXhGK9DBvSCIPrNro690rCL4yz1U8rLopdJkL5WM+q"
    "w91HlhHOsmj7VpCQB5HbeznCiO81GM85AZ1Bcln/USVbFEFndQjDrZEuePEREYEVFjmasT"
    "EYH+tehf2yAbQ5P9a0MbwiWzgclfdJZaGuJW3XoWB/ilIGAxnYJwwAeqTDIB5a56qqjxVt"
    "oULBDU89h0FtggAvrf8lRKGMXlq5Q4IPfgePByofUh4fpHKpveGaFeF/LbeL7oEua63O2C"
    "uWEymApIPiNmcuRZJBmbFuZhZbfEPiKoZSa9R/tFqavMPLHpqF9X4iiTahIHx0NGQNiqZO"
    "PPaUF0pGmcI82xZUPozJgTpdzUSYnwsX99qVIghPIPzmX/w9Uv/VtIbhAuDMUkCPnvvJbm"
    "uPVA/Gj5KA5T5UeSFtmfm8iL3X4qW/PhjtYnTSU8JYa8QpN5BS/a4+ta/WIBNPptlFkz0E"
    "F0aJy0DNI3+vRNvHWtw5XmZHFRa/KipvRo3Sx3KRkkEfK1C8NjoR6kWSkEdTkzkzodbk7N"
    "pDwMjxPbldxMdnKVkzOFNWGr4MZRyy1FOL0iNpP8WhZbnh+kWrTXepHlKspqLB8g54HZJR"
    "M288DZ1VbcVZDnOVAegkTQKhOy1BGIzZ2n5eHnW+i5jrcrRU/XQ3u6KqgKOFdbFaP2LbQn"
    "bj95rL6+31rjYZvUfPiYdKiLqD0yFxswF2iiRRNtg5TUJptor0w2nXH5hsZCDlqFnpprtE"
    "pTtZLmgwlbaJhnZWswcnJVrARAC8OywLxpWk8ssIFCgiOXySkA1tagOJn8v5gzVc3jiZfE"
    "k2278xXVPeSjMKHScVhMq1ayJWptLIGKbQ3FdsK0XBHD5i2E9vTNmxrYylaV4Kp7eSONWq"
    "oG+jkeipItxHz7uR6CvUBHpU8kNlLqj8cWsxOdHp1tq6d8u5xtC8eOgynHPeZaxrhCKQ5v"
    "rlKGadJslQpcPeAbVN0t0y6/FdVyQw+jaqXxmbmiNBZ6abWaSKSF++xOdBv4rjQQDpu3EN"
    "3dRK9wx9NMfJoSQX5SU5c56K725/8D4AHGGw=="
)
