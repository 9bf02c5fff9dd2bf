//! Mail: the one way out that is no HTTP, through the same guard and with the same authorities.
//!
//! One connection per mail: alerts are few, and an idle one is what mail servers drop. The address is judged where the name becomes one, and
//! that very address is connected to; the certificate is held against the name. What was refused for good, what may be tried again and what
//! never arrived are told apart by where in the conversation it happened. The password is shown to nobody but the server, and only encrypted.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::guard::Guard;
use super::{Answer, CONNECT, Failure, Hush, Network, Tls};
use crate::event::Timestamp;

/// Where mail is handed in, and within what bounds.
#[derive(Clone)]
pub struct Postbox {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether TLS begins with the connection (true), or after STARTTLS (false); without it nothing is encrypted.
    pub tls_first: Option<bool>,
    /// Name and password.
    pub login: Option<(String, String)>,
    /// Who it is from.
    pub from: String,
    /// Networks of the admin's own that may be reached.
    pub allow_private: Vec<Network>,
    /// For a whole mail.
    pub timeout: Duration,
}

impl fmt::Debug for Postbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postbox({}:{})", self.host, self.port)
    }
}

/// One mail.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    /// The same on every attempt: `Message-ID` is made of it.
    pub id: &'a str,
    /// The address.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// Plain text.
    pub text: &'a str,
}

/// The way to one mail server.
pub struct Post {
    host: String,
    port: u16,
    from: Mailbox,
    guard: Guard,
    tls: Option<(bool, TlsParameters)>,
    login: Option<Credentials>,
    hush: Hush,
    hello: ClientId,
    timeout: Duration,
}

impl Post {
    /// Opens the way, without calling anybody yet.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the place.
    pub fn new(postbox: Postbox, tls: &Tls) -> Result<Self, String> {
        let Postbox { host, port, tls_first, login, from, allow_private, timeout } = postbox;
        let from: Mailbox = from.parse().map_err(|_| format!("`{from}` is no mail address"))?;
        let guard = Guard { allow: allow_private.into(), listed_only: tls_first.is_none() };
        if let Ok(literal) = host.parse() {
            guard.admit(literal).map_err(|refused| format!("`{host}` leads to {refused}"))?;
        }
        let parameters = || {
            let mut parameters = TlsParameters::builder(host.clone()).certificate_store(CertificateStore::None);
            for authority in tls.authorities() {
                // One that cannot be read was passed over for the other connections too.
                if let Ok(authority) = Certificate::from_der(authority.to_vec()) {
                    parameters = parameters.add_root_certificate(authority);
                }
            }
            parameters.build_rustls().map_err(|error| format!("`{host}` cannot be reached by TLS: {error}"))
        };
        let tls = tls_first.map(|first| Ok::<_, String>((first, parameters()?))).transpose()?;
        // One way of saying the two is all in one piece.
        let plain = login.as_ref().map(|(user, password)| format!("\0{user}\0{password}"));
        let hush = Hush::of(login.iter().map(|(_, password)| password.as_str()).chain(plain.as_deref()));
        let login = login.map(|(user, password)| Credentials::new(user, password));
        // What a server that looks closely wants to see of a client without a name of its own.
        let hello = ClientId::Domain(from.email.domain().to_owned());
        Ok(Self { host, port, from, guard, tls, login, hush, hello, timeout })
    }

    /// Hands one mail in. `now` is its date.
    ///
    /// # Errors
    /// A [`Failure`], which says whether it may have arrived.
    pub async fn send(&self, mail: &Mail<'_>, now: Timestamp) -> Result<Answer, Failure> {
        let message = self.message(mail, now)?;
        let sent = tokio::time::timeout(self.timeout, async {
            let mut server = self.open().await?;
            let answer = self.hand_in(&mut server, message.envelope(), &message.formatted()).await;
            // The server has said what it says; whether it hears the good-bye changes nothing.
            let _ = server.quit().await;
            answer
        });
        let sent = sent.await.unwrap_or_else(|_| Err(Failure::Broken(format!("nothing within {} ms", self.timeout.as_millis()))));
        let hush = |words| self.hush.over(words);
        sent.map(|answer| Answer { body: hush(answer.body), ..answer }).map_err(|failure| failure.said(hush))
    }

    fn message(&self, mail: &Mail<'_>, now: Timestamp) -> Result<Message, Failure> {
        let to: Mailbox = mail.to.parse().map_err(|_| Failure::Unfit(format!("`{}` is no mail address", mail.to.escape_debug())))?;
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject)
            .date(std::time::UNIX_EPOCH + Duration::from_millis(now.0))
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            // RFC 3834: nobody's absence is answered to a machine.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.to_owned());
        message.map_err(|error| Failure::Unfit(format!("it makes no mail: {error}")))
    }

    /// Connects, encrypts and proves who calls. Nothing of the mail was said yet.
    async fn open(&self) -> Result<AsyncSmtpConnection, Failure> {
        let unreachable = |why: String| Failure::Unreachable(why);
        let address = self.address().await?;
        let first = self.tls.as_ref().filter(|(first, _)| *first).map(|(_, tls)| tls.clone());
        let opened = AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT), &self.hello, first, None);
        // The first words of the server come with it: one that does not greet is as good as not there.
        let opened = tokio::time::timeout(CONNECT * 2, opened).await;
        let mut server =
            opened.map_err(|_| unreachable(format!("{} does not greet", self.host)))?.map_err(|error| unreachable(super::chain(&error)))?;
        if let Some((_, tls)) = self.tls.as_ref().filter(|(first, _)| !first) {
            if !server.can_starttls() {
                return Err(unreachable(format!("{} does not offer STARTTLS, and a mail is not said in the open", self.host)));
            }
            server.starttls(tls.clone(), &self.hello).await.map_err(|error| unreachable(super::chain(&error)))?;
        }
        if let Some(login) = &self.login {
            server.auth(&[Mechanism::Plain, Mechanism::Login], login).await.map_err(|error| Failure::Login(super::chain(&error)))?;
        }
        Ok(server)
    }

    async fn address(&self) -> Result<SocketAddr, Failure> {
        let found = match self.host.parse() {
            Ok(literal) => self.guard.admit(literal).map(|()| vec![literal]).map_err(|refused| refused.to_string()),
            Err(_) => self.guard.find(&self.host).await.map_err(|error| error.to_string()),
        };
        let found = found.map_err(|why| Failure::Unreachable(format!("{}: {why}", self.host)))?;
        found
            .first()
            .map(|address| SocketAddr::new(*address, self.port))
            .ok_or_else(|| Failure::Unreachable(format!("{} has no address", self.host)))
    }

    async fn hand_in(&self, server: &mut AsyncSmtpConnection, envelope: &Envelope, message: &[u8]) -> Result<Answer, Failure> {
        let said = server.send(envelope, message).await;
        let answer = said.map_err(|error| match error.is_permanent() || error.is_client() {
            // "No such mailbox", "not from you": the same tomorrow.
            true => Failure::Unfit(super::chain(&error)),
            false => Failure::Broken(super::chain(&error)),
        })?;
        let body = answer.message().collect::<Vec<_>>().join(" ");
        Ok(Answer { status: 250, retry_after: None, body, whole: true })
    }
}
