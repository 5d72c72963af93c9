/// Certificates of a made-up authority, valid for a hundred years but for one that has expired; the key is worth nothing.
enum TestCertificates {
    /// Who signed the others.
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBiTCCAS+gAwIBAgIUUV+4A0n7vk09DJYAowTrqCIJ7XQwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjYxMTI3MDg1MzU2WhgPMjEy
        NjExMDMwODUzNTZaMBkxFzAVBgNVBAMMDlRlc3QgYXV0aG9yaXR5MFkwEwYHKoZI
        zj0CAQYIKoZIzj0DAQcDQgAE0bR9g7aXtoofLYE++aRcxvNm3hsktWE+M9pnBGHt
        BDyyaDZZpko6W8WuIAjbmaVEhK/FshDaZYgNjNlrttv7uqNTMFEwHQYDVR0OBBYE
        FOtGKVDnesaSMJPj8n6dPohUtnn8MB8GA1UdIwQYMBaAFOtGKVDnesaSMJPj8n6d
        PohUtnn8MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgWvkRws2F
        eFjfniP1wkd+eoj64TCSk4nPSfUaDrRJHSkCIQCUNP82VtUDYNDDjjjSJuGjjdN7
        4kQbuhsPd8VgobGVYw==
        -----END CERTIFICATE-----

        """

    /// The key of the others.
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRvcHDCMj+uwkaG4e
        +86gFYWO6oZVuzPHfWY/50AyiKihRANCAAS+s8EScKNWzS9W0fv4TnqqznKXi/ur
        5TpkOVHnL4GZeB52hFswtlVDccvgFy2oj0J0Tj2XBhXYhmkpqXgS0Bmv
        -----END PRIVATE KEY-----

        """

    /// For localhost.
    static let localhost = """
        -----BEGIN CERTIFICATE-----
        MIIBiDCCAS+gAwIBAgIUClTzitClhil+m2EOq+IFXlZ2zEkwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjYxMTI3MDg1MzU2WhgPMjEy
        NjExMDMwODUzNTZaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEG
        CCqGSM49AwEHA0IABL6zwRJwo1bNL1bR+/hOeqrOcpeL+6vlOmQ5UecvgZl4HnaE
        WzC2VUNxy+AXLaiPQnROPZcGFdiGaSmpeBLQGa+jWDBWMBQGA1UdEQQNMAuCCWxv
        Y2FsaG9zdDAdBgNVHQ4EFgQUzw1+7Q3j1mtrjLgvGRqSnHW12cswHwYDVR0jBBgw
        FoAU60YpUOd6xpIwk+Pyfp0+iFS2efwwCgYIKoZIzj0EAwIDRwAwRAIgG4Wi6v5t
        Pjek/x4eaeQyLOzCOHJ7D5Qzu0leHVCU3YkCIEXUP4CTHM/t/IPIY2c2Yf+4hAyO
        03hJeMr5ONq57GUJ
        -----END CERTIFICATE-----

        """

    /// For localhost, until 2001.
    static let expired = """
        -----BEGIN CERTIFICATE-----
        MIIBczCCARqgAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA5UZXN0IGF1
        dGhvcml0eTAeFw0wMDAxMDEwMDAwMDBaFw0wMTAxMDEwMDAwMDBaMBQxEjAQBgNV
        BAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL6zwRJwo1bN
        L1bR+/hOeqrOcpeL+6vlOmQ5UecvgZl4HnaEWzC2VUNxy+AXLaiPQnROPZcGFdiG
        aSmpeBLQGa+jWDBWMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAdBgNVHQ4EFgQUzw1+
        7Q3j1mtrjLgvGRqSnHW12cswHwYDVR0jBBgwFoAU60YpUOd6xpIwk+Pyfp0+iFS2
        efwwCgYIKoZIzj0EAwIDRwAwRAIgfX1KfMPdvfUD1yky21iNqzklmAlzon2X0aBA
        xAyffccCIFyT9hxcHlnOBoDFgwZrVLyTpMDEY7uH8oeYZv0XyiU6
        -----END CERTIFICATE-----

        """
}
