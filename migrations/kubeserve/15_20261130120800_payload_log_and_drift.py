from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "payload_batches" (
    "name" VARCHAR(80) NOT NULL PRIMARY KEY,
    "endpoint_id" UUID NOT NULL,
    "taken_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_payload_bat_taken_a_22de2d" ON "payload_batches" ("taken_at");
COMMENT ON TABLE "payload_batches" IS 'A batch that was taken, so that it is not taken again; its file may be gone.';
        CREATE TABLE IF NOT EXISTS "payload_days" (
    "id" UUID NOT NULL PRIMARY KEY,
    "endpoint_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "seen" BIGINT NOT NULL,
    "sampled" BIGINT NOT NULL,
    "logged" BIGINT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "full" BIGINT NOT NULL,
    "large" BIGINT NOT NULL,
    "lost" BIGINT NOT NULL,
    "over_limit" BIGINT NOT NULL,
    CONSTRAINT "uid_payload_day_endpoin_659d36" UNIQUE ("endpoint_id", "day")
);
COMMENT ON TABLE "payload_days" IS 'Requests of an endpoint on a day; what was dropped, by reason.';
        CREATE TABLE IF NOT EXISTS "payload_sources" (
    "source" VARCHAR(32) NOT NULL PRIMARY KEY,
    "endpoint_id" UUID NOT NULL,
    "counts" JSONB NOT NULL,
    "told_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_payload_sou_told_at_e4b6da" ON "payload_sources" ("told_at");
COMMENT ON TABLE "payload_sources" IS 'What a process told last of what it counted (`runtime.payload_log.Counts`).';
        CREATE TABLE IF NOT EXISTS "drift_references" (
    "id" UUID NOT NULL PRIMARY KEY,
    "kind" VARCHAR(16) NOT NULL,
    "version_id" UUID,
    "endpoint_id" UUID,
    "rows" BIGINT NOT NULL,
    "columns" JSONB,
    "since" TIMESTAMPTZ,
    "until" TIMESTAMPTZ,
    "created_by" VARCHAR(100),
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_drift_refer_version_2e6f3d" ON "drift_references" ("version_id");
CREATE INDEX IF NOT EXISTS "idx_drift_refer_endpoin_df35f8" ON "drift_references" ("endpoint_id");
COMMENT ON TABLE "drift_references" IS 'What drift is measured against: of a version (training data), or of an endpoint (a window).';
        CREATE TABLE IF NOT EXISTS "payload_files" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "key" UUID NOT NULL UNIQUE,
    "endpoint_id" UUID NOT NULL,
    "name" VARCHAR(250) NOT NULL UNIQUE,
    "day" DATE NOT NULL,
    "revision" VARCHAR(80) NOT NULL,
    "model" VARCHAR(40) NOT NULL,
    "version" INT NOT NULL,
    "requests" INT NOT NULL,
    "rows" INT NOT NULL,
    "good_rows" INT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "first_at" TIMESTAMPTZ NOT NULL,
    "last_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "binned_by" VARCHAR(16),
    "counts" JSONB,
    "deleted_at" TIMESTAMPTZ,
    "created_at" TIMESTAMPTZ NOT NULL,
    "tenant_id" UUID NOT NULL REFERENCES "tenants" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_payload_fil_endpoin_dcacf4" ON "payload_files" ("endpoint_id", "last_at");
CREATE INDEX IF NOT EXISTS "idx_payload_fil_expires_52d44e" ON "payload_files" ("expires_at");
COMMENT ON TABLE "payload_files" IS 'One Parquet file in the object store.';
        ALTER TABLE "endpoints" ADD "payload_log" JSONB;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "endpoints" DROP COLUMN "payload_log";
        DROP TABLE IF EXISTS "drift_references";
        DROP TABLE IF EXISTS "payload_files";
        DROP TABLE IF EXISTS "payload_batches";
        DROP TABLE IF EXISTS "payload_days";
        DROP TABLE IF EXISTS "payload_sources";"""


MODELS_STATE = (
    "eJztfWtz4zaW9l9B+ctktjSujvuSXvutt8puOxPvduxetzvZbDwlQyQkMaIIDUFardk3//"
    "3FAe9XEdSNYp/+kHSTOCD1AAQOnnP735OZP2KCuS/s9NLz2HzhiZNz8r8nDp0z+Zey2wNy"
    "QheLzE245tGRrUSENXGGljOkaYGR8FxqePL+mNqCyUsmE4ZrLTyLOyD1iQqx5K4piDelHl"
    "kylxHPtZhJbOoxe0WoYwZXly53JgMy5i7hDiPUMLjveANCTdNlQhB53WQvlsFO4ckmN+Sj"
    "LWeyy4f4jvVPnw09PmHelLnyUb//Q162HJN9ZSL652I2HFvMNrMAs9VQTOnZ23fQkbo/9F"
    "YLde/DlLo/Kgn4IaOhwW1/7hSlFitvyp1YTP5euDphDnPlzzJToDu+bYfjFF0K3l1e8Fyf"
    "xS9tJhdMNqa+DUMH0sGbJNdOhsO7+8fh55vH4fCkMKyRRGoQwksGd2BKWE444eb069Bmzs"
    "Sbyn++e/Nn8JwEj6AVPPCXy4cPP10+fPfuzV/hgVzOq2Di3YV3ztStP1UX1KNBJ2oUEtjV"
    "cBYRv3W8csDj9jmsreCqLtbRhQTs5LPYB9oTeIm/nX3/5oc371+/e/NeNlEvGl/5oWYAbu"
    "8eFboJmsJyDFZE81oi4llzVg5pLJSD1AylTqO/HCHANeg93v588/nx8udP0P1ciH/aCqrL"
    "xxu4c6aurnJXv3uXm+pxJ+TX28efCPyT/M/93Y2Ckwtv4qonJu0e/+cE3on6Hh86fDmU61"
    "gKk+hydOlPWK7Gs9SXAxdG1JgtqWsOC3f4Ga9qW7w1P5vnr1CHTtQgAZrwnsm2c/PVY65D"
    "7VuTOZ7lrSp2p0KzdbsUCwWGViBhsYYb1SVZMFdwh1AhtwsS9UPuF8y5vSYLl7/ILl0C7w"
    "j7DJsX96GWfZRsM7+fWEL4TC34wh/9weSr/6Pp3mOZxW/2yppULoJB+/UrYLhxdHezCZa/"
    "fz87e/36h7NXr9+9f/vmhx/evn8Vr4PFW3UL4tXt32FNzHyh0SJZvQUlA9d0108ktrPjH3"
    "oXyuz5b1+9arDpy1aVu766l9uYwk9CA+SUSA9RPnv7tgHKslUlyupeFmXDZYCH1Ph1dYCs"
    "ZA8VgRP5A817x16FS9yRKAbhalzQC9Kj7stNdVi2hXz5cntdPtwpkdxY+75lnoLgEY5xzZ"
    "iqr+l1MEhp+NUv/bOoZmXRLUL7I3eZPF7/J1spgG/le9ByLTpRjb6EPR0nqsnVZFq6dBlr"
    "M+k5JX++yWzmBSv85ecPl9c3J38eTHX9kS2Z+2BNppWcSrrFOoV1DG2HbtK4uaa6nHIypy"
    "ticmIDeeFNpdI5YmM5mQbEcojgc0Y85lDHOyeuPOhaoHa6bCyxBe3Tcgm3QR/1+Iw5okaf"
    "3cWTNiBXUME9pIKLG8TGG0R6v9XXrvapVe1zeh+JEnUE7MpnuUgH4JdtT9HddVuTCNo13p"
    "ZGLl8KWOSBhLcEAYsBM+X+AIS775hktILNgJjWhAmP8DGxPEEMzmdWCam/hf422mJa0PcZ"
    "IWTvtdn70AqjA3lKpIfH+m1BnoJY4qHFm8QCPYT3rBE3dVbDTZ0VuSlkTarR7y9rIhhzWg"
    "x5SqyH430k41up0KUHmH1dWLK7FmOclcRh7vQw4+EW2U9kP2uOlgr48nNlNCa1h0r4ZZpE"
    "5yl5ZnNq2c9wCJyxhQeUo82X8mhoUMEuyNKSs8T3CCWL0BNMeXfBeVFAWya7X8oDYOkpcy"
    "fP2DK5Wb34bH/dWX/iPPk/Y98xYJSIehL8583/PencQjSoOWqqwdY5B8UCvTvXn71tcsqU"
    "rWpsx4Vzpvq/BrxRezxlNjtlRovQcErFVAfogmArxMPZ+g0Bjsf6avT7e6w3LQGgtxn2nO"
    "gWxr1jH92RDPMRmGsufdPybl6YOg6UBmkkDdbp1xSaDhm0bahm30s11phSZ8JOyR14pg6I"
    "wz2pBK/EObGU5cXjZMQIfOZE6rjgDwAWGY94zLaFMrwIMpHqcFG/3nbn6xXr308CRwRoLb"
    "Xjf6AXQSe9CJJBaqq5JBI9VBLfNFFZ3lRrLG8KCku3/QpQQdmS3QE9obMf0veNlP/va5T/"
    "70uUf9vSNJsmEohxM4zR+L97478i7bQQjiX6CHCTWfyuehK/K8xhj7pSL9VSamKJHgK8Ey"
    "LGZF4pdfsfn+/vKk7isURet7EMj/w/YlviGKN9a6AFLDIKTITodz9f/nce7A8f76/ymgl0"
    "cJUD3mXyZwuv1DpaPcGzUj2c5NtZprtDRtw6L5ZHvWr30VSDwRoywoqbNjX5OXEqBuX1CU"
    "EHf3DLuYAQBPbCXDKlKnJWfrTObABXBSOCGS7zYssdRN+GTqEDuGh5JXa/HT3oyXlyfo1M"
    "hckzAqYD0k6UdY8mQzQZdp3t3YPN0OV2hc3wxvHnBd+Q7DYTynZ5gzm5//Xu5uGc8KV8my"
    "fn8vrn27tzuUTMLbloXN/8cvPx/hPcN+UCYfMFtPnl9uZXuPRiQZhYfhVrdFZ71+Solmcw"
    "Uie1d4Xga7UItnCPLwj2zpS+/SOb2kGZORytdJDOSnX5m+gSA4Em3mr0+8ugomNvGz2qS6"
    "PcyLGXGoZU2Vt93TlRtOR3eZxd9sJnrYY5K4mj3OVRDmzBmo76GSF01a931a+yz7dx1n+M"
    "+zpOZNe662dmVscc9n9m81Gly354c7CGx5urZrr5SSyH0DArSE1ukXyr0mx4yWxUISSYCu"
    "8ofHyQ0DkKQgfPvdXQ9/fciyrU1lP5YPAoaqTHo5HmZ+52kMXA3APp+f/lc4+elKv5wb11"
    "Wv4/oVVDJf9XCHVVEbDBTPuLILY1h/xLpjUeM5eMXT4nnrKa87GydFswfeQEgC4u1A84h+"
    "sqq6DDS44IO3rGBob2bu2ZBz1h7MbGPufykyrxAa08sCUCrSo4dIyi23oBB0+qlhM2HK08"
    "VoJq3Um4INojfPdyLE5ZmBxzwa0wHqvhvM7I9Aj6rU3tkW/B6tEc0UQA4SzC6bKFbRlUB9"
    "C0CEJahNRY+MO5ZduWDqhZIYS1COuczbm7kiCNdNSEjBDCWrYAKD9tMVzIA47eMpAXRHiL"
    "8Nqcmh7ApIFsRgZBrQZ1CBC0ADaWQ3BrwG0zZXEhqIJ1yUZTzmc6oKZFENIA0o3iZdZzyv"
    "cOe+TyP/tglLtA42zdw2FTNjOEs5zOTLCu5TODd9bJguILj8+Ze0Gghh8xbPlv5sq/qYJ9"
    "C1pWe1ZDDiN8Os4+HjZpXYfiGLafjQR9DKqh75ePQXciWS8NgwnxCCWnKjaSdIt1uwmXv3"
    "Q6pEpiGNSxarazQKipkgqqXyXxplP6wuLsV8r3+FxZu/hYbh0Tl0Jh8rBQeVDXnJbV6Np2"
    "7xvsUn94ls7yGTbv3eq5+0Ipavg0zZBpmQ1Ug/VniWOxQh5rCFBH8O3SXoSRId/0KHdI5Z"
    "A6AnetfykHlA/cZFWKR6FdM/XDkE0bu+FDYziRgsfMkkKtNJf7k6nc/sPKaqfkOdoVVN57"
    "L3S4MRgkrJAKgdQcTMbmzCzz39929xsoHvAqLQLSc2KoiGgrIkGaO82UQBmhLvv3Hxj29N"
    "ZlSjXD8Ia+q6Vh5+V6CPbZq6ZJxmqzjBUIC2HwRZnPVHWasUQC04xtlGZMcN81tIi4tEz/"
    "ku28aTTD39RM8DclyS5g7zOm1IbHaIFdlOzhsvL92fsmYVZn76vjrOBerigKd/TmdSyAk7"
    "rRpA4qBA+tVqUYc7I9ZJqP/Zx3vJwNDnPLYe4009mVUdWgOrsVwdILSDHqE0uGdsBDZ21k"
    "YnEZ2A6uGEt7wKjPD0GdiXKW+UNchKIJtawaN8/x4nK5z84TezMVM5XgODCNnxLZxB/Zlq"
    "EszJDt2OFh/uTSZDAbdAc5l9NMlyBEWbkdIn82hKgoryTV84LxhR1UbYXEM1DU9YJQAphY"
    "RtSvw56cP5Yz6Cb+Ez4c6lYFFvQArqDXsAisJ+Rby67ifNdbdviqyfe5RSr1m+KvsUzpbo"
    "s1HDhXcMdU+F2bCZCzPhhnndp9dPAvCG40DB2b7vseBaXGzOVWy7U2z5zY/pb2yBAarnUj"
    "KizjZC9Lz+uzBkvP67PKpQduZbEHfUln4kftcb63n+/oU1093fvlU41ubN8a7408LaaTQw"
    "qsGQUmX76GAwvvDhr6V6rWjZOgUY/QKJExtW2+ZGbCDVlOKnnZgAgesEUqHxl1mSqETsUM"
    "RCYS+7IEaFvtP+DJAk8ZErQN/TCjroFwo7bs9II8nTydqNxp5PLTLaGOCY1InJYoSriWSs"
    "xclrc5Yu8zLn+JTOy3gwmdO5S5Ct09D+7ueQAXuHZH2P2cV3fjLIRsGZ5bOzYUPT634okG"
    "PU+6Byd6nqDnSXeR7fKx+5qBy0RNjGOqwaDR4dtUAnoxjoFMlMEAXDDUGTY6M3vyTCynjf"
    "LNgGkaBC2WnbXbdwXH6qjON/yBY3HYV3D6hjTlF+py2JVgDNxFnhw58hILag+l5Ih5SwYJ"
    "HJacLLhtiwsygThK5aRCGDWmwasZfM4g2QOX11x7JZ+9WLj8RT5H/rmTZ3c5WHzEzZXyZj"
    "GZYZny3opVHdIxxrITp7/qQ7daXo3wM2oKe0aod6DvoAYSMhu7m9t45j74mRujKvfCKYV6"
    "gA7KKRFcQhosIYnOVES52gyQEWqVRLVzOG87XT2yct+CYwHGTX4TwwwnyFYfc0YQfYS6PM"
    "bRwb84xFec24w6FQpHSiw3wCMp16sxvbq//5gZzqvbnNH77svPVzfysKjGUTayvIwtHCOR"
    "tfA+lkjkXiJ6MHNQb9DskjWom6D2wBh0pMB22Rb0d7e6WENwb9DIAqT2yx04XwaOjGM6t+"
    "yVCt+17TCwOLSpyLeG61ZpFdqdPCfvjAmJMaUQ9U3ZrRG2CpN6i4vQsLOZO+YmPpZYbGLb"
    "xSbQ4oAWh45oRWhx2Mvk3k0eR6RtvwWuB2nbb2OYJYRtvuW0HJK2HR/hoVx45VlCZ2PMSv"
    "Vxa2y0M2oUHEN38/7wi/2Bs0sEY0dR7QHDeKzIdplifGBj+SlN66r5ZZoMGhGObiCiVc8P"
    "Kr7aljNLVdL7iyDGlAIVOCZhl3HiwltPEOGrEn3cJWMOBKJQPuEBwce+lpCOO3rGBqSgel"
    "QL/++8XO98kXfvAI5nvzY78dGdDOS+1ubolxLDk1+Xx/eADiRH9Nm2V6An7tY0vdhmeZy4"
    "rlX00tOqY3reZzlW8ifK4arQ8lINmul4IhAYQu7mZhreJeR5JgtquWHYnmu9yEkgr7geFD"
    "JkjuGuFnJWBLF50AQExpbNIkPslM8ZKGImc8tiDbfaP5iSpWroTNRGQMhyyqAqY2BtlpOA"
    "KyVQTnuPbagEzvSslTPMS91S5QtnRBHsK8uh7qrCdTcRyvt1rrzAonmc61mpZ2dohox3fo"
    "nu1e3d5cNvsdEy3v4/3t/9/arEbHn12+PNZY7kChK969iLEwm0F29gL47Xp6arSyzQQz+I"
    "HQS4op24Evr+Jt1J1ALtUc9I4smyayfLwkHoYBr7F8HMy6juyUm50p5t00xvD4iNTEGV9a"
    "r7o9SNn//wrOd0lZa/pAqzDKQqvfCC1B6C2NyZwP9BpY6bEIP7tqkSbVRl5tzdYzbQzk1r"
    "wkTJh169hSYSqKP3nJbd50jg2rqttfVXV64cNTmWkvvN1tQltNfJsPRZrk4qmRAMI7i9J6"
    "mPggTCQcGsc1jMHC9KIRx7yzvhBfnXIM1BcSndyRO27P2OGYbh3j4yDKOPyVZddjAfyc4D"
    "DPS3f9z2cduv3/YvbYuKii0/uLduu6fQqnkaRXgMeJBM4ZTyvHC56avwquewbGYQZCb/Br"
    "FuL3LrhfOLOvrM5UZtl5k4ttFlaU0BdRvuKmw2qhyAUW3bjmrDgpo79GkOv5IivpXKaUoC"
    "k16VJPXwF2ZLVjwriax4h3f38O2TUVc7iOYpIy2Dx4x6T5x4h97cE+fnqKvjxHWtJ056Wn"
    "XMEyeAvlwJjYelVglVP05LBzXB61k5uYQ7VwlhVNuyVGNMggBQZUSVsVPrxK5VxvRrFTB+"
    "ZF8r9MacWA8KStWpLzf//ZjRXAruLBlPoqh53selVFfXSVKbFtmftv7qSFR1dGCphvo4VX"
    "WsGtUFZR0jJHsSIflLyPWUa+y/JExQrc6e3oSaxUL6C5tT85Q8B0F+z8om+yysf7Gh8jt+"
    "Jg57AZOu8igLPN7l7FSW3bEF2YYhidpopW6MfMs2y+Mhd/ScNRyzPx/JixL71MUwmjF/jv"
    "g9dElVjdNt8HBxuMNFMH7NlbBEAAnTEi1MPwB426G/hwZ01/nq4vWsCHKdG0pWrk9zdy8e"
    "KY3iEG7k4lBQhg4dk3AS7IvM1FyYT758+ngvNZbrcxL18ORcfbn9eH179/fzYIOUo/PkPN"
    "xcXv92TuCMsXpyfry8/QgyY2rZ4TMPHttAPY/NF57OWTstgmft/DdQlaCqmjDqV3KqfZNF"
    "1IRykTp4JxKItz7ecOZijlYsa0qkD4jvekmWP8YGyIYjZlBfaM3tMtk+YL7vWb6waZuMPT"
    "mxPiC/a6U9gKyl5l4i3Eoj6RrmB9HeXbbgbgmbWR2+nUhsFL7dMfT3Hb0d2VhGK52lJivV"
    "Q37g+0Ypv7+vSfn9fTHlN3CybEFdVkbb12Riy4r1b11/+7YB1m/fVkINt9DmiDZHRX1I5X"
    "Mi92X9kS9KY/B8d3xBi6OteK0W45yWwxHu8gijuy+6+3bEf6DD7r43YS2xk3L/gfj2YI0D"
    "QVyTTLVs5EEQiZyS53DcVZzYxIUsxioFHhj2V6FlH3x+l2Fk+JJCSHi5v8BWekV/4uMz+a"
    "M/8e78iZMvScPYlhVCc1uRtLIZLePIKxFNSSCcRThfLF3f64wMQpqHVGoYcx1SNWqPlOoG"
    "CTFtrgN52BwRb4/4gq7AEWZo84kO8jkxHIH2IxAciNoQrllJJGS6TMggrV69cfeXVsdQHg"
    "zl6RAV1+VQnohs+4lRWx3k6xi5sNGgIS83nCbt17JzP/ElpFaMZMmSCiIYc4hNhTcgggfJ"
    "nBRxFvBoAgg0j9sm4XKKFZm5jXuEahcJoTAI/JJJVBcjPBiHnUR9e5woQAaEu8ThnrwwUO"
    "FDQbfjJ2fkuw7J/llGXcAToH+ookEdsWSuGJBnl8kpZlg2c09BWP680yv5/+cnZywhFdm+"
    "pvJXgzgf/cEMz3phUI+DcxPyX8Frw48nNucz+SbyccY0LOUR/BGW/OFRWQ9BPn+8B0iihh"
    "dqAp1DxQ+VK9Or4C2bspTxRNFbqXNi++UtO7lSD2pIykPxaB3TanfguG5qeSDFAv1zh9m+"
    "Uy+sczoH46g9nojbn4jVZqIDeiyAqLdHPbUJ6x5Rc6LIRHSNiSgcoHTU/KKaVJwf9w575P"
    "I/zQ9baeP6MSpHaw9bOeWwwXFrW0eoh9Cwc1J/iIqbNT5GZSxGTfKbmWxh8xUz42S3ygcB"
    "FHp4rQtizee+ekxZyjM94VKvhfSERb+F7h0J0G8hidB53SRC53V1hM7ritS5mmfarBTSjz"
    "lQKxz/qqdsLNDDOYvpnrtPDxwg7rdzkO46F4PrWXAEbRF4WiLaQ8h3UIEkxq1lBGpFB31a"
    "QvadRMaaONTz3RKFrsaDJy2EtYQ3cZ2a2Yy6zrByB61JV1UU7R81/K6JrvKuWld5V9BVmP"
    "NiudyZl8akVk/5nBhSlptHYKNTzbfkVNM9Y213P7v2jjXVXG8b15pN2N5uoLsDvnef7jUP"
    "YfREOSX8kMRW1DLBoauJRpxbEmmW8oA5B8cOlykuV/YxHlsGmXAmlH9K4DdChEFtJmop4h"
    "30v55FDpPjIo/cKR4ZU96ebJM0oka5m04NkWFU+Oj0gb/YPmUUrko654aUCB6UNzkoy4Uf"
    "3kcD+pQIQr/JeY07nnw4c0GbMnzXZY5R4rpWuWpXymP0Yn4Fh2Mr971hCS36o81pBcAZqR"
    "yoYxDbFazvXp3uCtka2K7vv1x9vCGfHm4+3H6+DSd8fNRVN+GSvGAFevzDzeXHYnZ4Ux5U"
    "dVaTWAK5n/ZrCeZrriZ0dpFZFTPw7TsDH+aV3H1eSWSQq9FHBhkZZGSQkUGOOGJu2/JscF"
    "LBIId3B+sY5KCdBoMcSlyQ5ZSrYme2XJdEwOdyh4xdPife1BKy4VIFU1oemXL5owi1bYg0"
    "BCIYoinJTK4H5Szylp8B8ZoGdUwLlv8BcX0HYiUJoSTyoP5L4MQ8IMo9UPHSofX9yRmxsf"
    "w+ssGUEDAZMdkqzpOqd4bBDd5S/c3jT47r2ywXiRmEdQqPLeT7yp7/8E05yGS0gpBOaH76"
    "AP99fnKgzUC1TEIx1UcTxZoGDeB149DM6LUgbDTIIvckT+kz5qSiOYOXgKjUKSSpm0AZa2"
    "g/tlzhZeNVZZ/yR4Qhrek/AWVbGvQK0MPowNvBw217VRXYOpdSvstM+dNVu9NH+K/86Qaf"
    "g5pq5kNYF/KapchNQUxrPGZKeLSSs8B3DTmCz3BVnMJuCd1MmTEriYSNwAtjYEP01CtBDC"
    "xTYbEQEvvkLKgQ2fcIxl/ICQM/H2Jtgr7Uj5/KLgKRQcpDPgALBmrB5Gs6sl/DtuT/s/2q"
    "DIDBlFfpe6XwgMjpB1fnZMkIFTP18Hg6PzmQ+MVjApapdD8qplfeInAvCUaWHcgfI7uEUV"
    "3YdFWEeEzdYEwhSyFM0KihBHfh8heIM34ILz2jlQatNGilCU91R1a2LdwINWftycOXuztV"
    "oC2Uf3Ku5bngnJjckcvRw/3HjzfXw6vLD/95rjZFZv4NdsMn58Pl3Yebj6p0mwEYwK0n5/"
    "OXTzcPn29UFTjhy9VRrpysI1Xd4lVWh0/MCKF9YhNOMZmfTcFPiSD0m0QfK6VXB/lEAoHf"
    "xBwKxwIt80UkgLBvtNTYZSELdQuNXRqigLDrznYNBTRqjvblou6pOAJd1jwl1kPK/Ego8g"
    "iT+tSFIYWjO8JpOUwE0uURPpIU7Ed0IFeMos6mHgvgpr6RW1lA3WodmlMyCP4m4CvCWwv6"
    "WAKB3yhzO3D+OsAnEuh4ho5nx+J4hu5Qe3SHUiZCLZxjiT7M7T1AnLKeFnGutjnmxDYwPn"
    "YM8u2kZYosxlqMWkoGN0SMwkcfSk0fylZjnpZDfqjL/BB6yaKXLHrJtvOSfeDLYHJUesqq"
    "FoNm3rJDN2q81mMWuk17iErp0J1ODIjveJatfFepOJcNQL8ZECoIbOtFz9gN+9qgHkf0u/"
    "VWnqwUVuOodcaLplQW3CvLoe6qCt5lGWsX5847zvWmDNarUPONd2mpJV/d3l0+/FZOZFyV"
    "aMpXvz3eXJYt/TpLU+GLKI6Yfub1lKv+MX4HazeI7DKwh7zrlwtLbtIVy314c91KTxfWcM"
    "ZWGnERsvUpeZ5TE9JXPoMPPCXCV8WWVGEkmwsmwvruniBzOoO4BrhYHgOxQX8Q7xBXtwpd"
    "8j3CF8wRF+SOOyyq1MS+Bvl64iJQHp+xJG9Ps13j92wdM/nff2g5dleTWaUbR0uy8KCfSp"
    "bHen3WgMZ6fVbJYsGt+s1kZlVlGF7viBzJdpmjPbn8dCuVnIX15NzcXX+6v717PCeBa5Du"
    "YLxvMBbvK4fifZ5OxAz6MbJnjejasxq69qxI1+qndMZMzlqZnIXBF3qekIkE2o83oG3DnV"
    "5naqdEeji3McEAkuOZdhuQ418XluytDT2ekezhqB/JKDdiyCFed+iLVp93XhZtIV0eaZe9"
    "QJB2i3HOSuIod3mUD27xOp6x1fDNyLA1TTHNCKENsd6GGIC1HQviY9zXcSK7lh7OzKxydr"
    "hsTdi7fbaba8GRm2e/CHnrJ+67J+VsfXJ/sIaw96HlcCqbanD2MUluOYTLf4M45E758vjh"
    "lNxCjh66EulMOVFzQQIUzXLufgv9AoevxJK8MEFmHW6bSijI1SNvAPtv0tVAtrCMKdxzwm"
    "RI0Gwp/8rg/pMDKq7UfERoEgjSJEFOmPQ7DMAU8C/mcuJx/uQYC38oBmTO5txdDSfWaKiS"
    "6czYwlN5aeDhYIO2DCqeHKFiOIZP/tmrs3fhY+D3hy3Ikvvy7af0RUJCTUjl5PHFIOhNzq"
    "c5/ASbpd7MUSklYN6EyY/k48J8RQZ1HO4Rg/sAXJWt4vf8BwCYFhLR/J5aspMGjS0YdYXN"
    "SnfMkhUn/Ha7a8LYYxGzasPGwTXCju6yG6qEaLXYYQ3Vabh96ZxSIxkknDp9QHWZhFR4mr"
    "Uu01Kt4nY7pooepr5llcNUDe7lDlOIeWPMl3SmW9g1FulThPq+S7l61NVdZBIZBL418CNf"
    "rDRLdiQiLet1dGyhqcFwK+U6YJrK52uinBXbZ2WU44UazLu6szklgyA3ARnqrr0wTZTTQg"
    "hzE5gjKksL5rQQwtwEZsX+aWEcSyDATQBO86paOOcFEe5G2kbAT+tP67wgwq0Bd+tJXiGP"
    "4DcBH838aObvkB26gZn/sFboB3nUCX5opSE6ajJoZIt2g9YNzdGPUNQDbJnMFbny6WHxDr"
    "CJUtNkpqpLchEbhOE5xGFf1T+CBiO24o4yE8+LBuqdPmmDIOPu2fa+jTIgQeEcHfNfItFD"
    "A+D2Q2qij60IcV0+zEQGw2o2Sw/Yzk2Y9jjU49htsBsF8W9VdfjIqfnIhFehNsS316kMUT"
    "45Dec1aK68yeCxInSNip245Kac8TKj673WNukQ3NUWtlQlUvXdrLDamEpD8hz/wlNo96yU"
    "CaHqm0GVNMhlIqXluMupITLF0cA77f7S96YkvJgqkqbsAFINyZRJU1XwIJA9qF4GUXJPjm"
    "ytFk5wpnNUmUCuYumtFyYu1MCeR35n8B9wPBsQ5eBGTEtqPcrVbA4R8uq3Q/U0yCIa/toV"
    "tBtTy5bvAq8hf7AF67frLzwAQF5TibYIo26QYbrUVy05UVRUTPs9rBOl55+GpdP2VTqtzi"
    "Lbz+ppe7bIdu+Q0N2tXMMBsNqrvvoUkJbp4Tlg+46AsO/pnAGi9qj/b1Rh6LiKMupDf/Jf"
    "X26+QPVE+RAfKioW6zP+eHt3+/knaDO2HEtModWPl7eqFGOgtTw5cq29eXj48ukRLqaUl7"
    "yq2OTb2X4lxlB901mfUiI9zIW9dYQxj371mRjz6O9vYvcij/63iDFmVvkGM6vEhZzbjHtO"
    "FpMxdI1nLXjqthrnrCSOcpdHGcsI9H2E0S8I/YLQL0jLuHfzwpx1Fr6gzaChmW/IoHlDY9"
    "9nPmfeVIJNqLLREY/b5gByS4Cli7smc4sGvaZCpXao6DVrLFGYIKGTCRKqDFPfmFVqayWE"
    "5RP9eSl3UM3bp2WQu9+Auz94bb4jGoD26kp6sd9cYUl7vBwnumtVltz86qjS8sAW3F2ntY"
    "SNGqstrmrfUG+5JOMgm5OqWKSUEJuNVVIs8OmBCN6x7IAIT86zogajL75Wlxlzdy7PqCVe"
    "NUGSeEz71E2tJhy3wghU8/eJRA/5+y3XrMCaCruuqWD9C/L0e7q5U7JyfdLP9+w1hookKp"
    "KoSGoqkr+y0ZTzWYUGGd1dpzoug3aNVUaXGcwC126ITCMBO1imG5a2U4XPFLNGoj/Kl31A"
    "nl2JLBXs9N+ewRn7+d+enxzBDJd5cUvBqM3MCyI4eK4/gwbB3GHQ6DnwUg9TrMrbQk5nZk"
    "KO1LDyZtRe/Ut2Dm5VKkGNJSc6yWZshXu+C9XbIs93InzDYAL6lc1T/ugqAk/lUF2C6/uS"
    "2XaFplvQaUMaGl3FD+sq7rt2EeZqp6qweS/0qn27VCWkelOqLpFAom4Doi79mhpzPSe2vz"
    "l/coAlZCczPtiddDBPJHCJaQF4RivQwb0giD6zrdFXOlYR/HoPlbwseql02Usloz5rD3Ve"
    "GMe6y2NtWgJAbuN2lhPFcT6KcR4xg/qi5LOuURVLZHEHxaiTLXH+GBGBERENlrkmERHoX4"
    "v+tR2yMXTZvza0IVwzG5j81UmtpSFuNWhmcYBfCgIW0ykIB3ygyiQTUO6qp4oab6VNwQJB"
    "PY/NF4ENIqD/LU+lhFFcvkqJA3JPjgcvF1ofEq5/rLLpnRPqDSC/jeeLAWGuy90BmBtmw7"
    "mA5DNiIUeeRZKxaWEZVnZL7COCWmbSe7RflLrKLBObjvp1JY4yqSZxcDxkBIStSjb+PS2I"
    "jjSdc6Q5tmwIJwvmRCk3dVIifLq5u1YpEEL5J+f65uPtLzcPkNwgXBiKSRDy33kjzXHrgf"
    "jR8lEcpsqPJC2yPzeRV7v9VLbmwx2tT5pKeEoMeYUu8wpetMc3tfrFAmj02yizZqCD6NA4"
    "aRmkb/Tpm3jrasOV5mRxUevyoqb0aN0sdykZJBHytQvDY6EepFkpBLWemUmdDjenZlIehs"
    "eJ7VpuJju5ysmZwpqwVXDjqOWeIpxeEbtJftXFlucHqRHt1S6yXEVZTeUD5DwwB2TGFh44"
    "u9qKuwryPAfKQ5AIWmVCljoCsbkzqQ8/30LPTbxdKXq6HtrTVUFVwLnaqhi176E9cfvJY/"
    "X1/d4aD/uk5sPHpENdRO2RudiAuYBdkUFtOb2ckDmxPvAX2VXr7dsGq9bbt5WrFtzCInQ7"
    "2HXRGN5/Y/i1a429BzaWqjCMU/mJINdo3ZnAhOZDN2rf8FTwK2jsShT08zmjwlfq+UQiK7"
    "zzIOJOquwCtNXvFOCg6MPW9FdV6iRXVO47SpZyYvDlX4vnhB0+C0zxM/n3wLweSg7C24PA"
    "ZP7kBMuOIETMmGdMmSCjFQkuku+eXXAXl9pSdPP5r03PI+E7w1wL7OKpChR4UDnsQQVmhc"
    "7GH7Xv4UFlJ5n6o4mvMZWzUhtM6Y4pWNvhrg9e9aaXqLp8qZmQI5LojY/FnvNwhJutzoE3"
    "JbLRmfd4ZvBuyuC0iaPC+Kmj4JBahUNiHORRjO3B4nU6NqYYroPhOhiu0129GhnK/jOUn+"
    "gKMpZdUc+YnpTzk5kmgzXs5CJoPBxRxa01IycviWoeuBVAUI1HZ8wZQNauoCa1IhKhXLO6"
    "ETCJFyrpvUonO6crMmJkwp3SlLPb7bxRmi7oaVjrvqD+r7H9R+23w1cdNmwmm/i0ybb/vn"
    "rXfx9u+tXU4MGZlo4uXBtSLfEk19Ss0nKoV3VdryooAYfeqq5pVVBpqkHTbcqkq4Z71AOT"
    "s0tAmZWscYrLHYPIbi6CME3YYEyXLxbgFzdakaCeanFX2ry70mjP3JolO9qsyAvaqbZtp8"
    "LNaCebkUlLyBTYh6pcrspYlMz20y8oYfso5BlkJZkda3OXhxJoKmlnKhF0vghDkjVAT4QQ"
    "97ap4icTXdgTGUS95Ww/sgoJ/UJ/7Nsl9qM63CMJRLzlKkPdSQmlU7vIRCKIeduVvaw0Rf"
    "26LsqYB0S8IeL8hblD25pbmrhn5RD95uh3joH50VKvV0PBqBaDhhwMsOwa6bw+UVeOvheQ"
    "82HdOD76g1UXnWskpcqMJIdsogwA0YVBWCQkZQtQlTyc2Ewg5EVI5QXOx35Sq4SPVQvqiK"
    "UKhwRns0HijTyIXmVkOSLMEkZi127yLC87yuT/fPHkkPSfuSUEOE0bzLZF5PfMvi4seUQe"
    "UiiAMnb5XL62fEfuJGGZzINyKOFfZMPzKI9ZnMJsEBQTDrCZcPnLIGlOU8tHjqeA/GRJGr"
    "H49TCXWEdzic1YCY1SzUqFzffLAnaei0KKbyewosU0tJievW1iMpWtKm2m6h4SqBsSqC57"
    "sURpeZzqSZmW6WHoybaM+QnIcy6VFR2EY4Eewrv9FARhjE4R4EqFKyXRp+qlW8tM6YaWXQ"
    "1I0yKIaRmmpVE9HQrpOSIsJ5ybQ01AMzKIag+MHT05yabsHUCBtPBGS8v10BvtSLzPGsXN"
    "RGSS5ginxHCAOz3AKYJQc4yzkjjMnR7mmNXWOdZlhHoY/bb1nA2BHaIIcV1YdiSBUdmb1E"
    "2ObCu6i1hWEmN4u7yGYWBp9cLWrwAIDCzFwNLDINuHwNLP3HcrM99l2wwa+osI1Vwn7x0l"
    "C5dLEUE8bptxSbZlGP6p9B5mplLDRY+y+eT0g9KKnqvy3G2v70aBpfIZ9f4TIgazqWadSP"
    "TOUvr6rIFW/fqsUquGWxjOcwBb/8EOL0cE527SKIcLjKZSmxJDjbYrGm3JQUa9fXccSm9N"
    "Nl9wqcYYK6nZVWgJuUbr1AQraT6csabhveAjKlvD1g2lXwPNChLLelPllGlaExbs7OAdGR"
    "psVXULuBv4d8J+P+FeuQPqNjsvDf1NNGfwytso6hf9Lbdrpaopr1Fx3KlJWB9LoH9LA/+W"
    "UofWmqzApQ6tfYD2rFEhgLOaSgBnxVIA4VI1FFN69vadDtBFyR5i/u5NA8jfvalEHG7lKs"
    "aovUBHL04kkNRvrxYj3ds35bj7+W4umWtVJmULb65ThmnSbJ0KXD3g64kpLe3yW1EtN/Qt"
    "q1YaK312q7fbaqfdPuyzO9Ft4LvSQDhs3kN0d5OYlzteaamuOoYvFkGKT1OXOeiu9uf/By"
    "tRtE4="
)
