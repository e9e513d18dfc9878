module workswap.example/wagi

go 1.26
