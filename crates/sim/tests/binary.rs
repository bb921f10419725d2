//! The process: it says where it listens, answers there, and ends when told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

#[cfg(unix)]
#[test]
fn the_process_listens_and_ends() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_farthing-sim"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    let mut address = String::new();
    stdout.read_line(&mut address).unwrap();

    let mut stream = TcpStream::connect(address.trim()).unwrap();
    let head = "GET /ok/v1/models HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(r#""id":"sim-large""#), "{answer}");

    let pid = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(process.wait().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "the address is all there is on stdout");
    let mut said = String::new();
    process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("a simulated upstream"), "{said}");
}
