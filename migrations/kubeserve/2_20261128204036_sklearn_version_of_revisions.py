from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "endpoint_revisions" ADD "sklearn_version" VARCHAR(60);"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "endpoint_revisions" DROP COLUMN "sklearn_version";"""


MODELS_STATE = (
    "eJztXW1z2joW/isaPnVnspmEJKSb7uwMJLSXvWnoJKR7e9s7jrAFaDCyry0nZe/mv68kG7"
    "/KBvNSjKsvbZB0ZPNI1nnOoyPzV2PqDZGLnGd0PEAEEtq4An81CJwh9ke28gg0oG0nqngZ"
    "hUNTGFDRzBXthi51oM47HEHTRazIQK7uYJtii/DGfYKA7rnUmiHnHbAIgEA32WfksL/4Lb"
    "g21NEx78ywdNYbJuOSdh7Bf3pIo9YY0QlymPXXP1gxJgb6jtzFR3uqjTAyjcR3xwbvQJRr"
    "dG6LssfH3s170ZLf01DTLdObkai1PacTi4TNPQ8bx9yG140RQQ6kyIgBQjzTDKBbFPl3zA"
    "qo46HwVo2owEAj6Jkc1sY/Rx7ROZpAXIn/c/6v4NZizTTtrj/QHroDTWtkRoHfQgrgoEi3"
    "CB9BzMeTAfPq9xsBIkob/ALXv7Tv35y1/iYgsFw6dkSlgKvxKgwhhb6pAD1CWfyfwfl6Ah"
    "05zov2KaTZje4G4wU8OwC0MYPfNRORMZ2wj+cnBQB/bt8LjM9PBMYWe6785+0uqGmKKg51"
    "BK3uIA6FBmkW4BtWQ/EMyUFOWqagNgLT48Uf6wC/KIiQj9aIHwE9+4JGn5jzYMgLoB/0Pn"
    "YfBu2Pn/jlZq77pynwaw+6vKYpSuep0jet1DCFnYD/9Aa/AP4R/N6/66YfmLDd4PcGvyfo"
    "UUsj1osGjdjsXJQuUHvla9hoGnu+eMEQ6tMX6BhapsZqWnlts1Wz5ixdAgkcizHj4PLbjN"
    "zEtYlRrg8JKpf5EIt9v4mmi8YrepI2sB1r7MAZoBNIwQzOAXSnYGQ5gFpTRNxj0KMucBGb"
    "2RRgF0yRTVkT5i8MPEYuZV7EnGc9zRb73bInyl8hpZ7o8NfH1vkK62PrPHd95FVVdkX7Xh"
    "ETYDdPVvFGrFUu3KIu6Y/8p0RzJ7B50SoDdMawhohva3rH4NYt3kcG538/9O9ycA4t0i4f"
    "6xT8D5jYpQcIdAGwHIuEX18A+uZj+7c01te3/U7aYfMOOop3/aS8Kz7qDnpmjGCdUU9abm"
    "HUg9utyqAfyCAvMCkcZV/f0MppAwmjbUoE1R3YJYpAJmBJI5yF973lIDwmv6K5ALnH7gQS"
    "XUbAZKLVYSIblUZPtQNfwhAhObMYBAYyEfXZVPvhun3TbbzuLRR8YKPFviMbsIY8HIw1OF"
    "opJHR9A22K5ivHhawtsCF23rEIDrFoDj+zWcBKHBGuIaI7c5tNC/CC6UQ04QYjbCJgjcTn"
    "iTVDLOAzDeTI4sOt979BnDgtFyhOVaS4ZqQYDHMW7A4m0JnL4Y4ZpSAfzqlPuw9zlZLB3A"
    "m4cujTGbqd3l37/kvIrEPHftu/+9CRcOvOl0G3neLWtjc0sV4mqIksVFCzQVDDvK1swhcE"
    "7VQ+2esQrJ+2VlhhTtM8NVpheJWKGX/OmLE6Wn3bxNDN4WZ+3TJaBnkrtDIX45cBrqdPuE"
    "L+ZDuW4YndyydfXbctPuQActEcgWfkuHxnk9EkCGYWY7Yy+rWNLiWM62tDVPNagc0fatNY"
    "bRpXZT3c8bZx8JRk8e0RKoc3ZpFCGB9k9M3ul/339+bp+eX527PW+VvWRNxoWHJZAHrvbp"
    "BC1LONNZ170lI596o4d4lWGNx9NOrCg5RUCuM2SigsFgpDD725Tvhx0dVh4rpUJoxPq4qp"
    "hD70chIaDkshCRVfrhQHNVjQT4QAF3guN49a5rSUMsZIuFaUUVHGSq0Tu6aM8dvKYDxA33"
    "N4Y8rsx0Hd2MPcHXR/GxSrcglBdNE8LdVJuboky2MZWZeleeyQrZ8cCFVXOlw+1IdJ1VfJ"
    "3VC7+mpXv0J0vcq7+p8DrUfO2D9HSlAhZ487odXOCXm2aUHjGDz5WaBPABKDfcD/RZrYPn"
    "0CBLFegT6BZIz83XiHJ2Bjl2+3m4zKYwKGc1Ex9LBpyM8V7eg6SzRmbzZkhQz7WGGQ7pqO"
    "I74GO2uicbyNCi72F1z447c6CYsMlGAqYWFrpIir3PBSueHhepYFuYPHufM2aVenufuPZv"
    "Ps7LJ5ctZ6e3F+eXnx9iScxNmqotnc6X3gEzoxFJIZnp9O0WWLQ4YM7Tu1ouH7RWSUXJgb"
    "j59u+4yx3FyBRQ/fSOexd3vTu/tw5TtINjrfyH23ffPlCvAYY/6NvG/3brnNCGIzuObeUz"
    "QgpWhm0zKxdtxExdrpZ4CNtVtOMIos1pr5B5QXvwuxCBrPWJcsOvl4RxYK7/J485gLkVIp"
    "uTGTOiC+6yWZfRmTQ6YNkQ49t9TcltnWAfMfPcttE5I1znSmzOqA/K5Juw/ZmsxdYrwWI6"
    "ka5nth7w6yLUeiZuZnoUcWG2WhVwz9fZ2sHc7LLDVJqxrqA6crndY/LTitf5o9ra92wvLR"
    "r+9OmIi/1zrDHNmpE8zVyUrMjrBKS1RpiRXZ56xwWmKXGOLsSEO+zxlWHy3Z6ERBwxI7nQ"
    "uTY/AUjLs4zzJ2rBfXP0bMNyDnwQ4kz0184UddMKuEhM0R+b7mVnpVeY+HtzWp8h53l/cY"
    "PUklNgWSRmpbIBtcmwjKtLxcRGMWCs4snM+4bI5owkZBmobUJyrrhMZJSxUoVTlQUgJI/g"
    "NVXwFEpQKrVOAKhchVTgVeBMH3AVtoFMfKYbOjFWNmLUFDVjncZyDbtObICN/0IAJbTF1x"
    "mO8dwLOZJy4jO+9XzlgaCqOYLKCCYRUMV2rJSW1Pn62yPX2Wvz19lvPeiJKuM2mlfGcK1B"
    "w1OX/KhgY1nLPqXSfVj433kPRWOUh3nYjsUDxiTGiNrCuJaQ0h337qVYTbmulXOR3UaQn5"
    "0ScoWKwIqedICF3BLxzEjdT7QDd5H+jURNAhWq4HLTirlTWtYfrnKlyllc9VWiohS+mRcT"
    "GkXFiVMlNxVbEmGRduNlcl49khh4nuUl0yNb8qpkzeBxvCckHyPtouLtQhg23lMj9mGibP"
    "QBJm3FyBlwlykFASWR+jEdbB2EKueLPAxHphFcDVoYncQoFyB/0v1zCD9xIoFbNSKqZ620"
    "Bjm5IF1OUZPAVhtJ6TvlOH6Hn7gkWwKpUJ1GImKkzbJExjCz+/nxLQx0wU9JscVrIIZRdH"
    "DmdTuuc4iOiSc0u5q3auvUrISq/gPGy1PKpJRLn3pgVzAE5YpUAdcbNdwdo6Od4VsgWw3f"
    "QfO7dd8Om+e9176AUTPgx1RSUvYgXY5/H33fatOoC3kstUB/CU3qP0norFUErv+Vn0np6B"
    "ZrZFOUHK/7nJVKOjJeoPjpqX+MFJrtLwX3i0RuIXh/z0vaPo1x8NPOYvi2TVXK5xEJsE7C"
    "NXangtJO4LcrhgM7aoXALaZudLjnOxS20m/RRtiErXKckzFEzGzVSfmmx+5ktCeTm1+Zws"
    "sqghH9t+otAUlWK8QfMaQtu8uFgBW9YqF1xRlz6jJJaqNRJaspY1xHwH+SzCF5RRhSIL9Q"
    "KbzV9go2K6usd0meBjb+S4jRysT3JIcVC5jAzDqNkyCpw/4Bv8srmMXf4s1HJDlTSfNK6R"
    "urVpylblFp3dcxv+XJVAOGheQ3R3I5JahEUypV7FFzNR+1slucxevdrr/wHG+uxw"
)
