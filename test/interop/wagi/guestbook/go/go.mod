module workswap.example/guestbook

go 1.26
