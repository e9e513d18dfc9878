//! A guestbook in a file: POST signs it, GET shows it with all files that there are, DELETE archives it.
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;

const BOOK: &str = "book/entries.txt";

fn main() -> io::Result<()> {
    match env::var("REQUEST_METHOD").as_deref() {
        Ok("POST") => {
            sign()?;
            print!("Status: 303 See Other\nLocation: /\n\n");
        }
        Ok("DELETE") => {
            fs::create_dir_all("archive")?;
            fs::rename(BOOK, "archive/entries.txt")?;
            fs::remove_dir("book")?;
            print!("Status: 204 No Content\n\n");
        }
        _ => show()?,
    }
    Ok(())
}

fn sign() -> io::Result<()> {
    let mut message = String::new();
    io::stdin().read_to_string(&mut message)?;
    fs::create_dir_all("book")?;
    let mut file = OpenOptions::new().append(true).create(true).open(BOOK)?;
    writeln!(file, "{message}")
}

fn show() -> io::Result<()> {
    print!("Content-Type: text/html\n\n<ul>");
    match File::open(BOOK) {
        Ok(file) => {
            for line in BufReader::new(file).lines() {
                print!("<li>{}</li>", line?.replace('&', "&amp;").replace('<', "&lt;"));
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    print!("</ul>");
    show_files(Path::new("/"))
}

fn show_files(directory: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        if entry.file_type()?.is_dir() {
            show_files(&entry.path())?;
        } else {
            print!("<p>{}: {}</p>", entry.path().display(), entry.metadata()?.len());
        }
    }
    Ok(())
}
