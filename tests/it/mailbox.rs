//! A small mail server: a real listener on this machine that speaks SMTP, keeps what it is handed, and is gone or hard to please as a test
//! wants it. It is the receiving side only; what is handed to it came from the host over a socket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How it takes one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whim {
    /// Keeps it and says so.
    Well,
    /// Keeps it, and closes the connection without a word.
    Mute,
    /// Does not keep it now.
    Later,
    /// Knows nobody of that name.
    Nobody,
}

/// One mail, as it was handed in.
#[derive(Clone, Debug)]
pub struct Letter {
    pub from: String,
    pub to: String,
    pub head: String,
    pub text: String,
}

impl Letter {
    /// The value of a header, unfolded.
    pub fn header(&self, name: &str) -> String {
        let unfolded = self.head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let found = unfolded.lines().find_map(|line| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }
}

type Script = Arc<dyn Fn(&str) -> Whim + Send + Sync>;

#[derive(Default)]
struct Ledger {
    letters: Vec<Letter>,
    tries: usize,
    open: bool,
    over: bool,
    script: Option<Script>,
}

/// The server. It closes when it is dropped.
pub struct Mailbox {
    pub address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
}

impl Mailbox {
    /// Opens at a port of its own.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = Arc::new(Mutex::new(Ledger { open: true, ..Ledger::default() }));
        let book = Arc::clone(&ledger);
        std::thread::spawn(move || keep(listener, &book));
        Self { address, ledger }
    }

    /// How it takes mail to an address from now on.
    pub fn behave(&self, script: impl Fn(&str) -> Whim + Send + Sync + 'static) {
        self.book().script = Some(Arc::new(script));
    }

    /// Hangs up on everybody without a greeting from now on.
    pub fn shut(&self) {
        self.book().open = false;
    }

    /// Greets again.
    pub fn reopen(&self) {
        self.book().open = true;
    }

    /// Every mail that it kept, repeats included.
    pub fn letters(&self) -> Vec<Letter> {
        self.book().letters.clone()
    }

    /// How often somebody came.
    pub fn tries(&self) -> usize {
        self.book().tries
    }

    fn book(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.book().over = true;
        // Wakes the listener, so that it sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

fn keep(listener: TcpListener, ledger: &Arc<Mutex<Ledger>>) {
    for stream in listener.incoming().flatten() {
        let open = {
            let mut book = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            if book.over {
                return;
            }
            book.tries += 1;
            book.open
        };
        if open {
            let ledger = Arc::clone(ledger);
            std::thread::spawn(move || serve(stream, &ledger));
        }
    }
}

/// One conversation; it ends with the connection.
fn serve(stream: TcpStream, ledger: &Arc<Mutex<Ledger>>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut out = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines();
    let mut say = move |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).ok();
    say("220 mail.test ESMTP")?;
    let (mut from, mut to) = (String::new(), String::new());
    while let Some(Ok(line)) = lines.next() {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let address = || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address.to_owned());
        let whim = |to: &str| {
            let script = ledger.lock().unwrap_or_else(PoisonError::into_inner).script.clone();
            script.map_or(Whim::Well, |script| script(to))
        };
        match word.as_str() {
            "EHLO" => say("250-mail.test\r\n250 8BITMIME")?,
            "MAIL" => {
                from = address().unwrap_or_default();
                say("250 ok")?;
            }
            "RCPT" => {
                to = address().unwrap_or_default();
                match whim(&to) {
                    Whim::Nobody => say("550 5.1.1 no such mailbox")?,
                    Whim::Later => say("451 4.7.1 come again later")?,
                    Whim::Well | Whim::Mute => say("250 ok")?,
                }
            }
            "DATA" => {
                say("354 go on")?;
                let mut data = String::new();
                for line in lines.by_ref() {
                    let line = line.ok()?;
                    if line == "." {
                        break;
                    }
                    data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    data.push_str("\r\n");
                }
                let (head, text) = data.split_once("\r\n\r\n").unwrap_or((&data, ""));
                let letter = Letter { from: from.clone(), to: to.clone(), head: format!("{head}\r\n"), text: text.to_owned() };
                let whim = whim(&to);
                ledger.lock().unwrap_or_else(PoisonError::into_inner).letters.push(letter);
                if whim == Whim::Mute {
                    return None;
                }
                say("250 kept")?;
            }
            "RSET" | "NOOP" => say("250 ok")?,
            "QUIT" => {
                say("221 bye")?;
                return None;
            }
            _ => say("502 what?")?,
        }
    }
    None
}
