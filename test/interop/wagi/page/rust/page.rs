//! A page that greets whoever asks, as any CGI program would.
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, io, process};

fn main() {
    let variable = |name| env::var(name).unwrap_or_default();
    if variable("PATH_INFO") == "/fail" {
        eprintln!("asked to fail");
        process::exit(3);
    }
    let mut body = String::new();
    io::stdin().read_to_string(&mut body).expect("a body of text");
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    print!("Content-Type: text/html\nStatus: 201 Created\n\n");
    print!("<p>{} {}?{}</p>", variable("REQUEST_METHOD"), variable("PATH_INFO"), variable("QUERY_STRING"));
    print!("<p>{body}, {seconds}</p>");
}
