// A page that greets whoever asks, as any CGI program would.
package main

import (
	"fmt"
	"html"
	"io"
	"os"
	"time"
)

func main() {
	if os.Getenv("PATH_INFO") == "/fail" {
		fmt.Fprintln(os.Stderr, "asked to fail")
		os.Exit(3)
	}
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	fmt.Print("Content-Type: text/html\nStatus: 201 Created\n\n")
	fmt.Printf("<p>%s %s?%s</p>", os.Getenv("REQUEST_METHOD"), html.EscapeString(os.Getenv("PATH_INFO")), html.EscapeString(os.Getenv("QUERY_STRING")))
	fmt.Printf("<p>%s, %d</p>", html.EscapeString(string(body)), time.Now().Unix())
}
