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
        ALTER TABLE "releases" ADD "shadow" JSONB;
        ALTER TABLE "releases" ADD "reason" TEXT;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "releases" DROP COLUMN "shadow";
        ALTER TABLE "releases" DROP COLUMN "reason";
        ALTER TABLE "endpoints" DROP COLUMN "slo";
        DROP TABLE IF EXISTS "rollouts";"""


MODELS_STATE = (
    "eJztXftz2za2/lcw+qW9M1pPIj+Sde7cGTlWW+0mdq7jtNutOzJEQhIiCmD5sKLu7f9+cc"
    "C3SEqEHhZFoz+kCYkDUh9AnIPvPPCf1tQfEpc4T+Sk63lkZntu6xL9p8XwjIi/FN1uoxa2"
    "7cxNuObhoSVFXDpmA8oGOC0wdD0HG564P8KWS8Qlk7iGQ22PcgZSn7DrzrljusibYA/NiU"
    "OQ51BiIgt7xFogzMzg6tzhbNxGI+4gzgjChsF95rURNk2HuC4S103yRA1yAk82uSEeTdl4"
    "nw/xGf3DJwOPj4k3IY541G+/i8uUmeQbcaN/2tPBiBLLzAJMFgN3gjvnF9CRvD/wFra893"
    "6CnR+kBPyQ4cDglj9jeSl74U04i8XE74WrY8KII36WmQKd+ZYVjlN0KXh3ccFzfBK/tJlc"
    "MMkI+xYMHUgHb5Jcaw0GN7f3g8+9+8GglRvWSCI1COElgzOYEpSFE26Gvw0swsbeRPzz4u"
    "yv4DkJHkEreODP3bv3P3Xvvr84+y94IBfzKph4N+Gdjrz1l+wCezjoRI5CArsczjzifeYV"
    "Ax63X8KaBldVsY4uJGAnn8VzoD2Gl/hb5/XZm7O3pxdnb0UT+aLxlTcrBqB/cy/RTdB0KT"
    "NIHs1rgYhHZ6QY0lhoCVIzlDqJ/nKEAK9A777/sff5vvvxE3Q/c90/LAlV974Hdzry6mLp"
    "6vcXS1M97gT90r//CcE/0b9vb3oSTu56Y0c+MWl3/+8WvBP2PT5gfD4Q61gKk+hydOkvWK"
    "5G09SXAxeG2JjOsWMOcnd4h5e1zd+adWbLVzDDYzlIgCa8Z6J2et884jBs9U3CPOotSrRT"
    "rtk6LUVCgQENJCipqKi6yCaOyxnCrlAXKOoH3dqE9a+R7fAn0aWD4B1Bz5BZXg9t2EeBmv"
    "mtRV3XJ3LBd/3hVyJe/fequoea+W/2io5LF8Gg/foVMFQc9VU2wfL3907n9PRN59Xpxdvz"
    "szdvzt++itfB/K1VC+JV/0dYEzNfaLRIlqugZOCqav1EYjca/9BaKKPzz1+9qqD0RatSrS"
    "/vLSmm8JNQADkl0kCUO+fnFVAWrUpRlveyKBsOATyExa9qA2QlG2gItMQPNG+ZtQiXuCMx"
    "DMLVOGcXpEfdF0p1UKRCvnzpXxcPd0pkaax9n5onIHiEY7xiTOXXdBoMUhp++Uv/yptZWX"
    "Tz0P7AHSK21/8kCwlwX7wHLraiE9PoS9jTcaKaXE2mpYPnsTWTnlPi55vEIl6wwnc/v+9e"
    "91p/Hcx0/YHMiXNHx5NSTiXdYp3BOoK2AydpXN1SnU84muEFMjmygLzwJsLoHJKRmExtRB"
    "ly+YwgjzDMvEvkiI0uBbPTISOBLVif1EHcAnvU41PC3BX27D6etAW5og3cQxq4WkFsrSDS"
    "+lbdunpOq+o5p/eRGFFHwK58Fot0AH6ReorurlNNbtCusloaOnzuwiIPJDx1EXgMiCn0Ax"
    "DuPjPRcAHKAJl0TFwP8RGinosMzqe0gNTfQX9bqZgN6PuMkGbvldn70AujAnlKpIHb+l1B"
    "noJY4KHEm8QCDYS3U4mb6qzgpjp5bkqzJuXoN5c1cQlhGwx5SqyB430k41tq0KUHmHyzqe"
    "hugzHOSuphrvUw682tZj81+7liaymBL95XRmOyclMJv0yR6DxBj2SGqfUIm8ApsT2gHC0+"
    "F1tDA7vkHZpTMUt8D2Fkh5FgMroL9osutCWi+7nYABbuMvfyjB2Tm+WLz+7XnfU7ztZ/j3"
    "xmwCgh+ST44+x/WrVbiNortppysFX2QbFA4/b1nfMqu0zRaoXvOLfPlP9XgDdqr3eZ1XaZ"
    "0SI0mGB3ogJ0TnAjxMPZ+oIA19v6cvSbu603qQugbzLsS6I7GPeafXRHMsxH4K7p+ib1ek"
    "9EbgcKkzSSBuvsawxNBwTaVjSzb4UZa0wwG5MTdAORqW3EuCeM4IV7iaj0vHgcDQmCzxwJ"
    "GxfiAcAj4yGPWJYrHS8uGgtzOG9f77rz9Yb1b60gEAFaC+v4dx1FUMsogmSQqlouiUQDjc"
    "SzKibLWbnFcpYzWOodV6ANlB35HXQkdPZDel3J+H+9wvh/XWD8W1TRbZpIaIyrYayd//t3"
    "/kvSTgnhWKKJAFeZxRflk/giN4c97Ai7VMmoiSUaCPBeiBiTeIXU7T8+396U7MRjiWXbhh"
    "oe+j9kUfcYs31XQAtYZAyYCNHvP3b/tQz2+w+3V8uWCXRwtQS8Q8TPdr1C72j5BM9KNXCS"
    "72aZrg8Z0WdP1MNeefhoqkF7DRlB46ZVXX4sLsUgoz4h6eArp+wdpCCQJ+KgCZaZs+KjZd"
    "M2XHUJconhEC/23EH2bRgU2oaL1Cvw++3pQQ/sgf0SuQqTZwRMB5SdKOpeuwy1y7DubO8z"
    "+AwdbpX4DHvMn+ViQ7JqJpSts4Jp3f5y07u7RHwu3uaBda8/9m8uxRIxo2LRuO793Ptw+w"
    "num2KBsLgNbX7u936BS08U0sSWV7FKe7WLKlu1ZQYjtVO7yCVfy0Vwg/D4nGDjXOm737JJ"
    "DUrMwXChgnRWqs7fRJ0YCO3iLUe/uQyqDuzdxI6q0yhXCuzFhiFM9o2+7iVR7cmv8zg75I"
    "lPNxrmrKQe5TqPcuALVgzUzwjpUP3Vofpl/vlNgvXv476OE9m14fqZmVWzgP2PZDYsDdkP"
    "b7bX8Hgz2Uy1PgllCIdVQVbUFlluVVgNL5mNMoVEl8I7ihgfTegcBaGj973l0Dd336tNqJ"
    "2X8tHJo9oiPR6LdHnm7gZZnZh7IDv/f33u4VaxmR/cW2fl/wGtKhr5v0Cqq8yADWbady6y"
    "6AzqL5l0NCIOGjl8hjzpNecj6emmMH3EBIAu3skfcAnXZVVBxgu2CHt6xhaO9nrpzIPuMP"
    "bjY59x8UkVxICWbtgSgY1OcKgZRbfzAxw8YVqOyWC48EgBqqt2wjnRBuH7LNvilIeJmTan"
    "YT5WxXmdkWkQ9Dub2kOfwupRHdFEQMOZh9MhtkUNrAJoWkRDmofUsP3BjFoWVQE1K6Rhzc"
    "M6IzPuLARIQxUzISOkYS1aAGSctjuwxQZHbRlYFtTwBvBuFdO9nve4ZeSeiz+eg/Wow1Zj"
    "5164bXfcIZzFW+4E65V77uCdVTL1fWGZz4jzDsE5U8iwxL/FVhgHh0rZuOh8RAU5HYVe8x"
    "3yYQsr1SjWdvcZ89oPVg59s/xg9cm26hoGcd17OBalRJGkW6zTJlz80skAS4lBcNZKNc0C"
    "6VBSKjihJcmJmuAnEldokfFxl5KR5SOhOsYOhsNzw8N0g7N3cdE5MrvufQst9dWjKstn2L"
    "xxq+f+i/nL4VOkytMyW5gG6/cSx8KUH2uYek3wrZMu0tHLL3qUa2RyCBuBO/RP6SR9z01S"
    "Znjk2lUzPwzRtHKoKDSGHSl4decYzvNxuD+eCPUfnv5zgh4jrSBrM3uhU9ggkFQtDAJhOZ"
    "iEzIhZFGO66+63MDzgVTZImlwS04aIsiESlGJSLFuREapzDOqBYU+rLlOYGYY38B0lC3tZ"
    "roFgd15VLYSzshJO/hhsg9tFfv3yUjiJhC6Fs1UpHJf7jqFExKVlmlcQ4qzSDD9bMcHPCh"
    "KyQfcZE2zBY5TAzks2cFl53XlbJRWg87Y8FwDuLRXu50xtXscCelJXmtTBKZYDutFxYUuy"
    "DWSaj32fd7ycjR7mDYe51kxnXUZVgeqsV5R1IyDVmUn6WLsaROiszZ7JLwO7wVXnex0wM+"
    "l9UAu9mGV+HxdKr0Ity8bV6xA4XOjZWeJvxu5UFuEMXOMnSDTxhxY1pIcZKnIyHtb4LCxY"
    "sEV3UBc0zXS5CEkvN0PiZ0MYtYxKkj3bhNtWcLIgFEeAgwffIYwAE2pE/TLywL7Op9BN/F"
    "/4cDhbJfCgB3AFvYYHFXqueGvRVVyTdccBXytq0u2QSn1R/LU+Sm+/BcUPXM+yZib8vt0E"
    "mrM+GGed0j4q+OcEtxqGmk335x4FacbMhKrlSspzSez5lvbIERqudUPsUqP1LEvPaafC0n"
    "PaKV164FYWe7CXVCZ+1F7P983nu46pLp/uzYqp1mFsL4331jytLnmkKbBKFNg1Ae5mRbBl"
    "qkG7EhVmSgG1YMtAJkqlAC4I2CscVeL0OIJpI0kiYGqD6EnKiriwTbsCHiw6FAf+g6I9YV"
    "/YFQu/rOnzTl4Ou3IJAd7qgYmRF1hgayAkh8SbE8gkmXNkc8ty36ExBHRKtgwRbEyCVzP4"
    "jEDWCRfXHGshnm3bDn8SzxH/3XBGxGDxITcXklYziUFNcW8RnMimgz3rSieUk2XSw2CEn1"
    "FV2DNCjQN9DwVDdUTt/ua2psoOvmnV4Z3PEgmnT/x9huOjIpspj3J5EfSM0EbVXGqH865r"
    "O2la6yUwHDqA80UMM+wgN/qYM4KarKzzGEcb//wQX3FuEcxKDI6U2NIAD4Vco8b06vb2Q2"
    "Y4r/pLtU1vvny86onNohxH0YgG/FpeP+qQ6AaFRDcS0YNFRDcGzToFRNcT1AbEQx8psHX2"
    "Bf3olFeNDO61K3mApL6sfFwD9hLvDLYsPidmEiFMWeqYBXliguhoRq2FjCO2rDDCOfSpiL"
    "eG67TwyIa9PCeIng4ItsBnxJkQwr4pujXCVmF1Mfdd6NiBZt1PfYSZKfuOS6pHh0WkDpXT"
    "VS8Pr0/aK9w62uOgPQ41sYq0x+FZJvd+Ckpo2vYlcD2atn0Zwywg3ORbTstp0rbmIzwQC6"
    "/YS6goxqxUE1VjJc2oUPlcR/I2h19sDpx1IhhrimoDGMZjRbbOFOMdGYlPabLqWIFMk3Yl"
    "wtEJRJQOFoCjZyzKpqmS/t+5yJhgoAJHKOwyrqDQ91zk+vKsAO6gEQcC0Q3OeZUEH/lWQD"
    "ru6RnbnBMLj9og/ntZrnGxyPsPANd7v0008dHtDIRe22TrlxLTO786j+8BA0iO6LPd3IAe"
    "Ozuz9GKf5XHiutbQS0+rmtl5n8VYiZ8ohqvEyks1qGbjuYHAAIpIVbPwulBwCtmYOmHank"
    "OfxCQQVxwPTlQgzHAWtpgVQW4eNAGBEbVI5Iid8BkBQ8wkTlGu4U77B1eyMA3ZWCoChOYT"
    "AsdDBN5mMQm4NALFtPfIlkbgVM1bOdUFsjY0+cIZkQf7ijLsLEpCdxOh5bjO6MT741zPCi"
    "M7QzdkrPkFulf9m+7dr7HTMlb/H25vfrwqcFte/Xrf6y6RXEHFORV/cSKh/cVb+Ivj9anq"
    "6hILNDAOYg8JrtpP/AKr1iRmgfKoZyT1zrJuO8vcRuhgFvsXl5jdqABrq9hoz7apZrcHxE"
    "amsut60/1e2MaPXz36mC4X+12qQmxbmNK2F5T2cJHF2Rj+DyZ13AQZ3LdMWWgD4TEuqhay"
    "v8dsYZ2bdEzcgg+9XIUmEtpGbzgtq48vPca19RdHrBwraiwl96utqXNor1Jh6bNYnWQxIR"
    "hGCHtPSh/JiHYaVO6+hMWMAWORqZkEcerygvhrUOYgv5Tu5Qk7jn6/ouPy0gJFHEdBSYHw"
    "A6zv8hnUE/h7p3N6+qbz6vTi7fnZmzfnb1/FhQXyt1ZVGLjq/whJlJkPN8qqXFPsSMeY7C"
    "pkR9cj2XuCgbr612pfq/0151lbFLslKj+4t07dY2hVvYwiPAYiSCawS3m0HW76Mr3qMTy/"
    "I0gyE3+DXLcnoXph/yK3PjOhqK0iF8cuuixQ47+15G24K7H5XWe11SmrTZ/ssceY5vArye"
    "NbapymJHTRq4KiHr5tbsiKZyU1K15j7R6+fTLqUoMo7jLSMnqbsToSJ9bQ20fifIy6Ok5c"
    "10bipKdVzSJxAuiLjdB4WFYaofLHKdmgJkQ9yyCXUHMVEEYrWxZajEkSgDYZtclYq3Vi3y"
    "Zj+rVyGN+TbyV245LYMx7OdIC5e9/7133GcsmFs2QiiaLmyzEuhba6SpHatMjzWeuvjsRU"
    "1wEs5VAfp6leJYBFp/HqA3lqZK7XOUPy55DrKbbYf06YoJU2e1oJVcuF9G2LY/MEPQZJfo"
    "/SJ/vo0j/JQMYdPyJGnsClKyPKgoh3MTulZ3dEodowFFEbLuSNoU8tszgfck/PWcMx+7Oh"
    "uCiwT10MsxmX9xG/hSGpsnG6jd5cHG5zEYxfdSMsEdCEaYEVtsGR0jtO/T00oPuuVxevZ3"
    "mQV4WhZOWaNHefJSKlUh5CTywOOWPo0DkJrUAvElNxYW59+fThVlgs15co6uGBXX3pf7ju"
    "3/x4GShIMToP7K7Xvf71EsEeY/HAfuj2P4DMCFMrfObBcxuw55GZ7anstdMieq+9/A2UFa"
    "gqJ4yaVZzquckibMJxkSp4JxIab3W8Yc9FmFIua0qkCYjve0kWP8YCyAZDYmDfVZrbRbJN"
    "wPy5Z7lt4U0q9iyJNQH5fRvtAWQbWu4FwhtZJHXD/CDWu0Ns7hSwmeXp24nEVunbNUP/ub"
    "O3Ix/LcKGy1GSlGsgPvK5U8vv1ipLfr3XJb+0JkwYobMiFSTQW2kJ95PPSOqW7PhGK+dGW"
    "bMsG45yW0yNc5xHWQag6CLUmXu0aB6H2whOuWsVe7fh2e41bOz4pS7as5NeORE7QYzjuMn"
    "tp7EBtXVmYDdzNi9DfDJGo8zBfeY4hUbnYi72TXnWU6/E5onWU6/6iXJMvScEFlBXSTqA8"
    "lWIRXMTcliKaktBw5uF8oqoRwRkZDWnOVW9xFaYvbK5pvs1pvsA03IR6ykrqrWmdt6aaYC"
    "xfwppLMOpQex1qXyNSos6h9hHtcBfaZ63V7ETcrF2RpRhkDL8qybMmsS2+IGZcSUVSCVD3"
    "HV7rHaKzmS8fU5RPqyZcSD6QFBGj6QdNP9RqyVkK/zitEv5xWh7+cVpSl0VRdWaltO5cAr"
    "WEvy+fsrFAA+esriVUfzbiAEGltYN034H+jkdHwhLaIKqxQLSBkO+hvGWM24bhjSUdNGkJ"
    "ee4MJbFXxJ7vFBh0K8jPtJA+qGabg2qmFsEOG5Rq0BW5kHnRBoZXV7FVLsptlYucrULYE3"
    "U4m5Ei8qR8yi+Jad5/+/BezQi/JEY4pqPUNrZLYnpnu5oVTlNn2/PC6Yio40R3LTO8NL9q"
    "xg3fhUEQxZTwXRIisZIJDkMpFMLVkoAxzOIos0s4DNQhwSnwDh6NqIHGnLiydsqEz+GYUN"
    "fAFnFXUsR76H89ixxWXtE8cq14ZF1PpbVL0ggbxVFrK4gMoyRkrQn8xe4po3BVUtk3pET0"
    "RnmbjbJY+OF9FKBPiWjot9mvceaJhxMHrCnDdxzCjILMzNJVu1ReByEur+CwbeW+NyigRX"
    "+wOC4BOCO1BOoIxPYF68Wrk30huwK269svVx966NNd733/cz+c8PFWV96ES+ICDez4u173"
    "Q770mCk2qiqrSSyhuZ/N1xJdDKic0NlH2Q6dSq9T6euAvuY1Na+peU3Na0bMJbcsYbG2Sn"
    "jN8G57Ha8ZtFPgNUOJd2g+4bK+syXWJTdgGTlDI4fPkDehrmg4byOXA+U44eJHIWxZUOsZ"
    "6EkXeRxNxXpQzG3u+BkP7IEZmJkUlv82cnzGxMMQwiiK6/0uCK1tB2cdSrY09Ak/sCEZie"
    "8DZf6DktURvyqPT8TynWFwg7eUf/P4A3N8S/wz+5/MIHY9Yov3FT1/9U0xyGi4aKNH2fzk"
    "Dv58fGDQpi1bCr0WCsuPBmhfeIegAbzufEJYhvad4yhF+UHsHaeEJV2ELyEEoA+h0OHkHm"
    "g/oo4r3ozAHY7kbBF9ih8RsN+ZHxEQidGLRC2iI6Ll6MDbwcMta1GEADxxJqR8h5jip8t2"
    "J/fwp/jpBp/ZAhwzLQUEti2uUUm5ucikoxGRwsOFmAW+Y4gRfISr7gloS+hmQozpEv7QTQ"
    "Se+IPzGD35ShbnUzj42kMWDvYjmhvX3PgR6rmdp3ceWyXmcKFXnLWtuy83N7Lmcij/wK6F"
    "3XuJTM7IA7u7/fChdz246r7/56Vc9In5N1jtH9j77s373gdZjdkADODWA/v85VPv7nNPFn"
    "Z2fVtoFRIVhz44GR8rRRUWJyOkWeFtmJxkflYFPyWiod8C+sCoU0E+kdDAb+OEArNXiTSO"
    "BDTsWy01VlGg+KqFxioMDNewq852BQM0aq69ennbU+6BVVnhlFgDKeEjoYAjTFZXOwgpCt"
    "URTsvpKiZ1HuEjqV91RBtyyZipKPVYQCv1rYJ5AmpSadOcktHgbwO+JHSVoI8lNPA67GQv"
    "qliHneiwk4buMZoddrLRmKfl9JajzlsOHVikA4t0YJFiYFHXpmLAWsVxReHN9pqwImzTwZ"
    "QsFMKKROsT9DjDJtQkeYQQEoxcf/iVGN4lRGZY3CVuWHvfc9EMTyEsCC4WhxBt0R+EC0VD"
    "hMKIFg9xmzD3HbrhjMgORI/kW5CEKYNFZEgQn5IkGbPVLgwdWQoS+S1bWVH8qXZGfbktWL"
    "h6bWgDro8YeTYL8LRTwQA87ZTaf3BrdeDIlJaVjVof5xDJ1tn0bnU/9S+R+EYfWO/m+tNt"
    "/+b+EgWeB9XBeFthLN6WDsXbZUNcl0WMke1U2uh0Vmx0OvmNjnqdLl2eS6k8l2twW83Rmk"
    "hoemoLeirU9CpTOyXSwLmtiRJNlGTabUGUfLOp6G0TqiQj2cBRP5JRrsSWQLj7wHc3+ryX"
    "ZTUvVueRdsgT5DhsdJ5pWlKPcp1H+eDs5/GMrUIddH0siz6WpUZccoVjWYrWhGfn6uu5Fh"
    "w5Vf/FFbd+4r7TKmbrk/vtNYS9Dy0HE9F0gxN5EWWIi3+DOCSEfrl/f4L6kOKKF2460TRq"
    "7qLw+LnVZ/Ju0S9w+GCTClPFDTn8IC0YMjzTQm3g7v8kDkce5w/MsP2B20YzMuPOYjCmw4"
    "FMHp0S20Mj7khfgUNsixrYfWCujOkaPPidV52L8DHwwmELNOe+ZaIJfhK/AZuQuuxxux30"
    "JibATPwGapHUmzGZYgYDHSb7iseF+bkGZox7yOA+/NL1eanhjAXscomp6cOJkwaVXQ6rys"
    "sXqriCJSL82Orrc3jGUvLlnoiDm3A1VYtb2nDazbDHk2wmob5R2VZGMpohqvWO0iECUtdT"
    "PHEkLbVRHH/NbMfDnDLi8Lkq7qGExnxTzOd4qnq8TizSpIyV5z5Qx8OO6iKTyGjgNwZ+6L"
    "sLxcKpiciGVVNrttCswHAnRVNhmornK6KcFXvO+rTHCzX4Y1Vnc0pGg1wFZKh+/0QUUU4L"
    "aZirwBxRWUowp4U0zFVgluyfEsaxhAa4CsBpXlUJ52VBDXclayPgp9Wn9bKghlsB7o0neY"
    "m8Br8K+Novr/3yNXIcV/DLH9ZtfCe2OsEPLfUcR03alZzHTtC6ov/4fkICXyZx3KVD7AI/"
    "6hx8otg0iSnr8L4Lc7XA/YpNxMg3+Y+gwZAsODPBjzrLe5T3+qT1+V2lntX6+fZeRlngoF"
    "C0ivsvkWigA3D3OTDRx5aHeFV9nERG58FsV6Zls7he3ODcjGP3weaMsoOZDn2TzGzuwfFz"
    "5UniS43WmQ80aa6eNA4aHUKuAnurjebUm8gAL5OOievB7SBmS/qg5VEJcBczV6h9yOMec6"
    "80g3xnnRdGaiX2tHjUdocH6Iis3brEyq2Hsk1QufWQSDTQeth9+NCUKCVxhs0bCG3n/LxK"
    "Avj5eXkCONxbNg/kUjVQTwTPSzYQ890bw4EuUDGFEwl9SuYWdSJ1pvILyVSuj3HcJQ41Ji"
    "VGcXhznTGMk2brTODyAd+ClSqyLl+KabllYeZyozE8S05F3aZEGqhn92LbwHelgHDYvIHo"
    "7qf0B2diJ1OgTVeRerGI5vQUbZmDarW//h/fMP1X"
)
