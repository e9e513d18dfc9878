// A guestbook in a file: POST signs it, GET shows it with all files that there are, DELETE archives it.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log"
	"os"
)

const book = "book/entries.txt"

func main() {
	log.SetFlags(0)
	switch os.Getenv("REQUEST_METHOD") {
	case "POST":
		check(sign())
		fmt.Print("Status: 303 See Other\nLocation: /\n\n")
	case "DELETE":
		check(os.MkdirAll("archive", 0o755))
		check(os.Rename(book, "archive/entries.txt"))
		check(os.Remove("book"))
		fmt.Print("Status: 204 No Content\n\n")
	default:
		check(show())
	}
}

func sign() error {
	message, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if err := os.MkdirAll("book", 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(book, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(file, "%s\n", message); err != nil {
		return err
	}
	return file.Close()
}

func show() error {
	fmt.Print("Content-Type: text/html\n\n<ul>")
	file, err := os.Open(book)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		defer file.Close()
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			fmt.Printf("<li>%s</li>", html.EscapeString(lines.Text()))
		}
	}
	fmt.Print("</ul>")
	return fs.WalkDir(os.DirFS("/"), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			fmt.Printf("<p>/%s: %d</p>", path, info.Size())
		}
		return err
	})
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
