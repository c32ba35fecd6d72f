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
        ALTER TABLE "quotas" ADD "loadtests" INT;
        ALTER TABLE "quotas" ADD "loadtest_rate" INT;
        ALTER TABLE "quotas" ADD "loadtest_s" INT;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "quotas" DROP COLUMN "loadtests";
        ALTER TABLE "quotas" DROP COLUMN "loadtest_rate";
        ALTER TABLE "quotas" DROP COLUMN "loadtest_s";
        DROP TABLE IF EXISTS "loadtests";
        DROP TABLE IF EXISTS "loadtest_events";
        DROP TABLE IF EXISTS "loadtest_reports";"""


MODELS_STATE = (
    "eJztXVtz2ziW/isovfRsldaVKIk762xtlRwr3dpJ7Ixjd89Mq0uGSEhCRAEaXqyoZ/u/Lw"
    "54v0mErhSDPDg2iQOQH0Dg3M+/WzNvRBxiP5OLruuS+cJ1Wlfo3y2G50T8UnS7jVp4sUjd"
    "hGsuHlmSxKETNqRsiJMEI8e1seGK+2NsOURcMolj2HThUs6A6jN2nCW3TQe5U+yiJbEJcm"
    "1KTGRhl1grhJnpX13anE3aaMxtxBlB2DC4x9w2wqZpE8dB4rpJnqlBLmBkkxtiaMomhxzE"
    "Y/RfHhm6fELcKbHFUL/9Li5TZpJvxAn/XMyGY0osMw0wWQ2dKe68uYSO5P2hu1rIe++n2P"
    "4gKeBFRkODW96c5akWK3fKWUQm3heuTggjtngtMwE68ywrmKfwkv/s4oJreyR6aDO+YJIx"
    "9iyYOqD2nyS+1hoOb+8ehl96D8NhKzetIUViEoJLBmewJCgLFtwcfxtahE3cqfjz8vWf/j"
    "gxHn4rGPCX7v37n7v3f7l8/R8wIBfryl94t8Gdjrz1p+wCu9jvRM5CDLuczjzifeYWAx61"
    "z2BN/auqWIcXYrDjz+IYaE/gIf6z8/L1j6/fvrp8/VY0kQ8aXflxzQT0bx8kujGaDmUGya"
    "N5IxBx6ZwUQxoRZSA1A6qL8JczBHgNeg/9T70vD91Pn6H7ueP8y5JQdR96cKcjr64yV/9y"
    "mVnqUSfo1/7Dzwj+RP+8u+1JOLnjTmw5Ytzu4Z8teCbsuXzI+HIo9rEEJuHl8NKfsF2NZ4"
    "kvBy6MsDFbYtsc5u7wDi9rm78178yzVzDDEzlJgCY8Z3zs9L65xGbY6puEudRdlZxOuWab"
    "TikSEAypT0FJxYOqixbEdjhD2BHHBQr7QXcLwvo3aGHzZ9GljeAZ4Zwh8/w5tGUfBcfMby"
    "3qOB6RG77jjb4S8ei/Vz17qJn/Zq/ppHQT9Ntv3gGDg6O+h42//f1Xp/Pq1Y+dF68u3755"
    "/eOPb96+iPbB/K11G+J1/yfYE1NfaLhJlh9B8cRVPfVjiv2c+Kc+hVJn/psXLyoc+qJV6a"
    "kv72UOpuCTUAA5QdJAlDtv3lRAWbQqRVneS6Ns2ATwEBy/Kg+QpmwgI9ASL2jeMWsVbHFn"
    "whgEu3GOL0jOuicO1WHREfL42L8pnu4ESWauPY+aF0B4hnO8Zk7l1/TKn6Qk/PJN/8yzWW"
    "l089B+4DYR4vVfyUoC3BfPgYu56Jg1egx6Ok9U46vxsrTxMuJmkmtKvL5JLOL6O3z3y/vu"
    "Ta/158lY1w9kSex7OpmW6lSSLTYxrGNoO7TjxtU51eWUozleIZMjC5QX7lQwnSMyFoupjS"
    "hDDp8T5BKGmXuFbCHoUmA7bTIW2AL3SW3ELeBHXT4jzFnDzx5ipB2UK5rBPSWDqw+InQ+I"
    "5Hmrzl0dk6s65vI+EybqDLQrX8Qm7YNfdDyFdzcdTY7frvKxNLL50oFNHpTw1EFgMSCmOB"
    "9A4e4xE41WcBggk06I4yI+RtR1kMH5jBYo9ffQ305HzBbq+xSR1t4ra+8DK4wK5AmSBor1"
    "+4I8AbHAQ0lvEhE0EN5OJd1UZ41uqpPXTWmtSTn6zdWaOISwLaY8QdbA+T6T+S1l6JITTL"
    "4tqOhuizlOU+pprvU0a+FWaz+19nONaCmBL5YrwzlZK1TCmykqOi/QE5ljaj2BEDgjCxdU"
    "jhZfCtHQwA55h5ZUrBLPRRgtAk8w6d0F8qIDbYnofikEwEIp8yBj7Fm5Wb757H/f2Sxxtv"
    "577DEDZgnJkeDH6/9p1W4jaq8RNeVkq8hBEUHj5PrOmypSpmi1xnackzPl/wrwhu21lFlN"
    "ygw3oeEUO1MVoHOEWyEerNbvCHAt1pej31yx3qQOgL7NtGdI9zDvNfvozmSaz8Bc0/VM6v"
    "aeiRQHCoM04gab+GsMTYcE2lZks+8EG2tMMZuQC3QLnqltxLgrmOCVc4WotLy4HI0Igs8c"
    "CR4X/AHAIuMil1iWIw0vDpoIdjjPX++7882M9W8t3xEBWgvu+HftRVBLL4J4kqpyLjFFA5"
    "nE11VYltflHMvrHMNSb78CzaDsye6gPaHTH9LLSsz/yzXM/8sC5t+iimbTmEJjXA1jbfw/"
    "vPFfKu2UEI4omghwlVV8Wb6IL3Nr2MW24EuVmJqIooEAH0QRYxK3UHX7v1/ubksk8Ygiy9"
    "tQw0X/hyzqnGO07xpoAYsUAxMi+pdP3b9nwX7/8e46y5lAB9cZ4G0iXttxC62j5Qs8TdXA"
    "Rb6fbbo+yog+e6YudsvdRxMN2huUETRqWtXkx6JUDNLrE4IOvnLK3kEIAnkmNppiGTkrPl"
    "o2a8NVhyCHGDZxI8sdRN8GTqFtuEjdArvfgQYasAH7NTQVxmP4mg5IO1HUvTYZapNh3bW9"
    "R7AZ2twqsRn2mDfP+Yakj5mAts4HTOvu19ve/RXiS/E0A9a9+dS/vRJbxJyKTeOm90vv49"
    "1nuG+KDcLiC2jzS7/3K1x6phAmlt3FKslql1VEtawGIyGpXeaCr+UmuIV7fI6wcab0/Yts"
    "8gQl5nC0UkE6TVXnb6JOGght4i1Hv7kaVO3Yuw0fVadZruTYiw1DsOxbfd0ZUm3Jr/M82+"
    "SZz7aa5jSlnuU6z7JvC1Z01E8RaVf99a76Zfb5bZz1H6K+zhPZje76qZVVM4f9T2Q+KnXZ"
    "D262N+jx5rKZan4SyhAOsoKsyS2SbVWYDS9ejTKERKfCOwsfH63QOQuFjpZ7y6FvrtyrWa"
    "i9p/LRwaOaIz0fjjS7cveDrA7MPRGf/zePu7hVzOb79zZx+f+CVhWZ/F8h1FVGwPor7QcH"
    "WXQO+ZdMOh4TG41tPkeutJrzsbR0U1g+YgFAF+/kC1zBdZlVkPECEeFAY+xgaK/XmXlSCe"
    "MwNvY5F59UgQ9oqcAWE2xVwaFmKrq9F3BwBWs5IcPRyiUFqK6ThHOkDcL3KGJxwsLEzAWn"
    "QTxWxXWdomkQ9Htb2iOPwu5RHdGYQMOZh9MmC4saWAXQJImGNA+psfCGc2pZVAXUNJGGNQ"
    "/rnMy5vRIgjVTYhBSRhrVoA5B+2s5wIQQctW0gS6jhzcNrcWy6AJMCsikaDWo5qEOAYAtg"
    "IzoN7hpwt1myeiNIwrpTcMdmBegdIw9c/DiG+rMOOoe9m+N3Vb0FcBbr3mKs1yrf/GdWSd"
    "nhCRF9Tux3CArOIcMSfxNb/Caryy1wUaFUBTodjlJzVdlpM6zVyOl+/6kztEG8HPpmGcTr"
    "E3bZNQziOA9QH6nkIEm22HSacPGm0yGWFEO/6FK1kwXiIiWVX6opDo6c4mcSpWqSjrJX0j"
    "TDx+LomNgYqmgHVbX9Ity4qKDUvnvf4ZT66lKV7TNo3rjd8/BVPeT0KdrMkjQ7sAabZYlz"
    "MZmda7xKTfCt01mkwxi+61muEcsheARu0z+kt8R7bpIyxiPXrhr7YYimlX3GoTFIpODesc"
    "RQ2Mvm3mQqjv+gDNgFegpPBZmk3Q28QwwC2RUEQyA4B5OQOTGLnM333f0OjAc8yhbR0xky"
    "zYgoMyJ+TjbF/DUpojo7o58Y9uTRZQo2w3CHnq3EYWfpGgh250XVjFhrU2LlFBaOwRdFDj"
    "7lObFiCp0Ta6ecWA73bENJEZekaV5mmNeVVvjrNQv8dUFmBjj7jCm2YBglsPOUDdxWXnbe"
    "VokJ6rwtDwqCe5kKHpypreuIQC/qSovaL2c7pFvVDczQNlDTfO5y3vnqbPQ0bznNtdZ01m"
    "VWFVSd9Qq3aASkOkRR17esgYfOxjC6/DawH1x14OcJQxTf+0URirXM76OKCVVUy7Jx9YQk"
    "Nhfn7Dy2N2NnJrPx+qbxCySaeCOLGtLCDKl5GQ+S/RZmLtmhO0gQnNR0OQhJKzdD4rUhnk"
    "J6JcmeF4QvLL/EKGRJgQqk7xBGgAk1wn4ZGbCvyxl0E/0LBociS74F3YfL7zWoWOo64qlF"
    "V1Fy5j07fK1JTrlHVep3pb/WNTUPW1ngxIlta8bCH9pMoHXWJ9NZJ04fFfxzhDtNQ82W+7"
    "FnQbIxc3HUcqXDM0N2vK09NIQGe90IO9RoHWXredWpsPW86pRuPXArjT3wSyoLP2yv1/v2"
    "6137VJcv92b5VGs3tu9N7631tDr3mVaBVVOBiYdfowML7rYr+lfK1pUzdmEX4TDrLrYsvi"
    "RmrBuiLJFpq40c7muLZPIsbBNZtRs7MyCZCOyLsnXttX9fT+Z7yiC/beCHGXYNCjdsiU7f"
    "oUFr0JKJvlD3cx9hZkIjFOXQCbODJbIIFyUZDrX3KZe/mCby29HZh2uUZkm7e57c3fMELn"
    "DbibDHkVcP4yyktWVabq3ZVDRYbtUSjfY8qR+c2vNEe57UF9k6i903BFwm1sQ4Jhq0Kwnf"
    "piRQi3H0acIMBuCCIWXYUGZ2hUwslo30zYBl6gctFsna23cFYnVYlBr+gVgc9OVL35BT+5"
    "28HHTlEALuIgMmZl5gga2hoBwRd0kggcOSowW3LOcdmkAcpXRSQQQbU//RDD4nkOyBi2u2"
    "tRJjLxY2fxbjiH+3QnYXk8VH3FxJbxaTGNQU91akTEjXMZa1kP7KhW65vRrBZ1QV9hRR40"
    "A/QMEerdk43NrWMvfJZW4dVXkUnVLAB6ignCDRW0il8u0hz5RHudwMkCLaKolq7XDed251"
    "rZX7HhwLdNzkdzHNIEFu9TGnCLWPUJ3nOBT881N8zblFMCthOBJkmQkeCbpGzen13d3H1H"
    "Re9zNG79vHT9c9ISzKeRSNqJuyhetIZCW8zyUSuZGInswc1Bg062QNqieoDTAGnSmwdbYF"
    "/WSXF2vw77UrWYDkeXkA50vfkXGM59RayfBdywoCiwObinhquE4LS6YeZJysMyYkxhRE2D"
    "NFt0bQKkjq7bwLDDu7uWPu4mOpi03su9iEtjhoi0NNuCJtcTjK4j5MHkettv0edD1abft9"
    "TLOAcJtvOUmnlbY1n+Gh2HiFLKFyMKapmng0VjoZFQqOaXfz5ugXmwNnnRSMNUW1ARrGc0"
    "W2zirGezIWn9J0XTW/VJN2JYWj7ZMo1fODiq8WZbNEJb0fHGRMMagCxyjoMkpc2Hcd5Hiy"
    "RB+30ZiDAtGRPuG+go98K1A6HmiMHZSCcqgt/L+zdI3zRT68A7iW/bY5ic9OMhDn2jaiX4"
    "JMS351nt8TOpCc0We7PQM9sffG6UU2y/PEdSOjl1xWNePzvoi5Eq8opquEy0s0qMbjOT7B"
    "EHI3V+PwupDnGS0wtYOwPZs+i0UgrtguFDIkzLBXC7Eq/Ng8aAIEY2qR0BA75XMCjJhJ7K"
    "JYw732D6ZkwRqyiTwIEFpOCVRl9K3NYhFwyQSKZe+SHZnAmZq1cqbzUm/J8gUrIg/2NWXY"
    "XpW47sZEWb/OletbNM9zPyv07AzMkNHJL9C97t927/8RGS2j4//j3e1P1wVmy+t/PPS6GS"
    "WXn+hdxV4cU2h78Q724mh/qrq7RAQN9IM4QICrthOXQt/cpDsxW6A86ylKLVnWTbLMCUIn"
    "49gfHWJ2w7onrWKmPd2mGt/uKzZSBVU2s+4Pgjd++urSp2SVlh8ShVnagpVeuH5qDwdZnE"
    "3gf2CpoybI4J5lykQbZZk5DzfMDty5SSfEKfjQy4/QmELz6A1Xyx5zJvTeuq+99Vdb7Bxr"
    "cizF96vtqUtor5Jh6YvYnWQyIZhGcHuPUx/5CYT9gllXsJkxN0whHHnLs+CC+NVPc5DfSg"
    "8ywp6933WGYbh3jAzD2sdkry47Oh/JwQMM1I9/fezrY3/9sd+1KHZKjnz/3qbjHkOr6mkU"
    "YRjwIJmClPK0sLnpyfCqp6Bsph9kJn6DWLdncfSC/CJFn7k4qK0iE8c+uiysKSBvw12JzU"
    "6VA3RU276j2nRBzQP6NAdfSR7fUuY0QaGTXhUk9fAW5pZa8TSl1orX+HQPnj6edXmCKEoZ"
    "SRotZqz3xIlO6N09cT6FXZ0nrhs9cZLLqmaeOD70xUxoNC1rmVD5cko8qAlez9LJJTi5Ch"
    "RGa1sWcoxxEIBmGTXLWKt94tAsY/Kxchg/kG8lfGOGrAEFpdaxL72/P6Q4l5w7S8qTKGye"
    "9XEp5NVVktQmSY7Hrb84E1ZdO7CUQ32erLquGlUHZl1HSDYkQvKXQNdTzLH/EmuC1vLsyU"
    "OoWiykt7A4Ni/Qkx/k9yRtsk8O/YMMpd/xE2LkGUy60qPM93gXq1NadscUsg1DErXRSt4Y"
    "edQyi+MhDzTOBh2zNx+JiwL7xMUgmjErR/wWuKTKxsk2Wrg4nXDhz191Jiwm0ArTAi5MPQ"
    "B436G/pwb00Pnqov0sD/I6N5Q0XZPW7lE8UirFIfTE5pBjhk4dk9Dyz0ViKm7MrcfPH+8E"
    "x3JzhcIeBuz6sf/xpn/705V/QIrZGbD7XvfmH1cIZIzVgH3o9j8CzRhTKxjz5LEN2HXJfO"
    "GqyNpJEi1rZ7+BsgRV5QqjZiWnOrayCJtQLlIF75hC462ON8hchCnFsiZImoD4obdk8TIW"
    "QDYcEQN7jtLaLqJtAubHXuULC2+TsSdD1gTkD820+5BtybkXEG/FkdQN85Nw7zZZcLtAm1"
    "kevh1T7BS+XTP0jx29HdpYRiuVrSZN1UD9wMtKKb9frkn5/VKn/NaWMMmAgkAuWKKJOC3U"
    "Zz5PrUO66+OhmJ9tqW3ZYp6TdHqG6zzD2glVO6HWxKpdYyfUXlDhqlVs1Y5utzeYtaNKWb"
    "JlJbt2SHKBnoJ5l9FLExty68rEbGBuXgX2ZvBEXQbxyksMgcrFVuy99Kq9XM/PEK29XA/n"
    "5Rp/SQomoDSRNgLlVSkWwUWa21JEExQazjycz1TVIzhFoyHNQio4jLmKqi9srxV9O6RptL"
    "gK5EFzjfj2iPvs+DbqvjSlVgfUWR2glbrlx0Zzlbo6vEGHN9RIEVTn8IZQ1XMf8MSt9Rqh"
    "qFm7omZomGK2qwQsm2Rh8RUxo+w1Un0Dufbhsd4hOp97cpiiGGY14kKFD0kov7TKR6t8ar"
    "XlZFxuXlVxuXlV7nLzqiQXjuLRmabSZ2cG1BKbSfmSjQgauGZ1/qb6a4BO4MhbO0gPHVxh"
    "u3QsOKEtPEkLSBsI+QFSika4belSWtJBk7aQY0eFCVkRu55dwNCtUX4miXRxoF20zjOLYJ"
    "sNS0/QNfGnedIGurRX4VUuy3mVyxyvQtgztTmbkyLlSfmSz5Bpvf/uLtVaI/w9aYQjdZSa"
    "YJsh05Lteq1wUnW2u1446YV2nuhu1Axn1lfNdMP3geNJsUr4PnZLWasJDtxXFFwEYyc9zC"
    "LPvisowGoTqcsVfYzH1EATThyZr2bKl1Ca1TGwRZy1KuID9L9Zixxku9F65FrpkXUOm9Y+"
    "lUbYKPYUXKPIMErcBJugv9i/yijYlVTkhgSJFpR3EZTFxg/PowB9gkRDv4u8xpkrBic2cF"
    "OGZ9uEGQXRsKW7dim9dvzM7uAgtnLPHRaoRT9YHJcAnKLKgDoGskPBevni4lDIroHt5u7x"
    "+mMPfb7vve9/6QcLPhJ15U24JC5Qn4+/73U/5tO9mUJQVdlNIgqt+9l+L9EJmMoVOodIla"
    "LTF+j0BXVAX+s1tV5T6zW1XjPUXHLLEhxrq0SvGdxtb9Jr+u0U9JoBxTu0nHKZU9sS+5Lj"
    "axk5Q2Obz5E7pY5ouGwjh4PKccrFSyFsWZBfG9STDnI5mon9oFi3uecxBmzADMxMCtt/G9"
    "keY2IwhDAK/Xp/8F1r2359SaktDWzCAzYiY/F9oNQ/SBMe6ldlyUosnxkm139K+ZvLB8z2"
    "LPFn+p+M2nZcshDPK3r+6pliktFo1UZPsvnFPfx8GjBo05YtxbkWEMuPBtS+8Ax+A3jc5Z"
    "SwlNp3icOw8IGQHWeExV0EDyEIoA9xoEO1JGg/prYjnozAHY7kahF9ipfwtd+pl/AVieGD"
    "hC3CstxyduDpYHDLWhUhACPOBZVnE1O8umx38QA/xasbfL4Q4JhJKlBgL8Q1KlVuDjLpeE"
    "wk8WglVoFnG2IGn+CqcwGnJXQzJcYsgz90E4InfnAeoScfyeJ8BsXGXWRhXx7RunGtGz/D"
    "c27v+d3PLft1sNErrtrW/ePtrcxzHdAP2I3ge6+QyRkZsPu7jx97N8Pr7vu/XslNn5j/Cb"
    "v9gL3v3r7vfZQZsA3AAG4N2JfHz737Lz2ZTNvxFuJUIWFC7pMr46NDUUWLkyLSWuFdNDnx"
    "+qwKfoJEQ78D9D5Tp4J8TKGB38UIBWyvktI4JNCw77TVWEWO4us2GqvQMVzDrrraFRjQsL"
    "m26uV5TykDq2qFE2QNVAmfiQo4xGR9toNARaE6w0k6ncWkzjN8JjnDzkgglxozlUM9ItCH"
    "+k7OPL5qUkloTtBo8HcBXyp0laCPKDTw2u3kIEexdjvRbicNlTGa7Xay1Zwn6bTIUWeRQz"
    "sWacci7Vik6FjUXVAxYa1iv6LgZnuDWxFe0OGMrBTcikTrC/Q0xybkJHkCFxKMHG/0lRju"
    "FXhmWNwhTlDvwHXQHM/ALQguFrsQ7dAfuAuFU4QCjxYX8QVhzjt0yxmRHYgeyTc/CFM6i0"
    "iXID4jcTBmq13oOpJxEvktnVlR/PxdyW+knBcs3L225AE3e4wcjQN81anAAL7qlPJ/cGu9"
    "48iMlqWN2uznENLWmfVudT/3r5D4Rgesd3vz+a5/+3CFfMuD6mS8rTAXb0un4m2WEddpES"
    "NkO5UEnc4aQaeTF3TU83Tp9FxK6bkcgy/UDK0xhVZP7aCeCk56laWdIGng2taKEq0oSbXb"
    "QVHybUFFb9uoSlKUDZz1M5nlStoScHcfes5Wn3eWVuvF6jzTNnmGGIetasgmKfUs13mWT6"
    "79PJ+5VciDrsuy6LIsNdIlVyjLUrQnHF1XX8+94MxV9Y+OuPUz9+xWsbY+vt/eoLD3oOVw"
    "KppuUQUZUYa4+BvIISD08eH9BepDiCteOclA07C5g4Lyc+vrIO/QL+jwJZn8l6iUzC1TEv"
    "mhruIGaP9NvGqLFtSYwj0WxBJDs6X4lcD9AQMWV3A+TmAS8KOMIWA0+QxtMAX8QWyOXM4H"
    "zFh4Q6eN5mTO7dVwQkdDGYs6IwsXjbktB7fJwqIGdgbMkS5iw4HXedG5DIaB9w9aoCX3xN"
    "NP8bOABJsQCe3yRdvvDepXwitYJPFkTEaswboJYofFcEG4r4EZ4y4yuAfAbQ5zDT4AwDQX"
    "55qsLx03qGzBWJetvvDELNhxgm+3viaMI2amLzdsnJwjrOkpuyNLqK0WByyMMw2OLxUpNa"
    "TRCqdaC6g2EZA6rmIBkyTVVmEBNWNFT1O0xOZLVdwDCo35tpgv8Uy1Wk9E0qQAmGPX53Gx"
    "rbrJxDQa+K2BH3nOSjEPa0yyZRLWmm00azDcSw5WWKZifEWU02THTHd7vlCDeVd1NSdoNM"
    "hVQIZk+s9EEeUkkYa5CsyhKksJ5iSRhrkKzFL7p4RxRKEBrgJwUq+qhHOWUMNdidvw9dPq"
    "yzpLqOFWgHvrRV5Cr8GvAr4282szf43s0BXM/Ke1Qt8LUcd/0VJDdNikXckWbfutK5qjH6"
    "bEt2US28nUxPPtqEuwiWLTJKZM6/suMgjDOIiRb/IPv8GIrDiTZuJ53kB90JE2h4uVWlbr"
    "Z9v7PrIM+3mnVcx/MUUDDYD7D6kJP7Y8xOvS7cQ0Oqxmt6wv27kJ4waHepy7DTbHlJ2Mdf"
    "jIsflAnLIqFtHtTSyDkGFMNzQKV3Neg+bSmwyGdQLXqMiJSxzKKS8zvNlrbZcOwV1tYQlW"
    "IlEeAZgEZwbVDbCDnqI3vIB2T5KZgEHaaEnFB+a5wIiIeRdLwxkww6KEuVGpiruu505RcF"
    "E6w/llNaQdQLAh0A24o4nrc7+IBASy+9UpIEpuwERruXGCMx2TVTa4jKWnz1BKGCb2KvQ7"
    "gx/geNZG0sENmVRwPdLVbA4R8vLdoaQEJIcK3nYF7caYWuJZ4DHEC1PYv21v4QIA4ppMuo"
    "IItv0EdoW+arFEUVKQ4bcgDb2af5quzHCsygzrLLLNLM5wZIts/YSE+h7lCg6A5V715VJA"
    "kqaBcsD+HQHh3FORAcL2mv/fKYH5edV8UYe+9bfH3iMUZxGDeFCwJV/+5UP/tv/lZ2gzpo"
    "w6U2j1oduXlV58rmXAxF7bu79//PwAFxPMS5ZVrPLt7L/QS8C+qexPCZImpO88NMI6PWq5"
    "TKzTox5vYR8k64cUHJVwjig0xjqzis6sUhYBEdWJ22beM7Q6GUPd9Kw5T92t5jlNqWe5zr"
    "OsU0o3fYa1X5D2C9J+QUrGvd4zYZssfH6bdkUz35BA84rGvi98TtwpFHzH0kaHXG6Zbcgt"
    "AZYubpvEzhv0qhIV2qHCx1xjidIJEmqZIEGXDJezsLcKZWJEb16oOyjX2ydptO5+B919tF"
    "uqMSsZMs2urGdXkpv97gxL0uPlPNHdyLJk1ldNmZZ7suD2Jq4laFSZbbFl+4p8SxeN/WxO"
    "2A2ZEIuMZVIs8OmBCN6x6AA5rlhneQ5GnXwjLzPm9lzIqAVeNX6SeJ32qZ5cTTBvuRko19"
    "/HFA3U3++5ZoWuqXDomgr0D8jT76rmTknTNYk/P7LXmGYkNSOpGUlFRrJvkvmCu4QZq/Jy"
    "aplGmxhJGjdXL68Gjt9c+qmDytD3G5esoEknJM6FGqRXkx7rklFkzpJIR+4Jd0trre2t8w"
    "2O3WIorUur0ylRznWW6fHL+aKYooF80f4dYmdEyfcpaN5AaDtv3lTAVrQqL5UG97IOfXKr"
    "Gqqz93nKBmK+fzbfPwtUNMUxxU564vOxlh9ETaw9z8qXfLM8z+oT99klNjWmJUxxcHMTM4"
    "zjZptY4PIJ3yHhQhF3+b2wljsaCMuZxmdiO7TIj35toEJI0sBz9iC8DXxXCggHzRuI7mFc"
    "uTlzFW3eCRJt8lbkZU56qv35//Ro2p8="
)
