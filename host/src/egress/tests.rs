//! What the client promises, each promise over real sockets of this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// A listener that answers every connection's first request with these bytes, then closes; and how many connections it had.
async fn server(answer: impl Fn(usize, &str) -> Vec<u8> + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let nth = count.fetch_add(1, Ordering::SeqCst);
            let mut request = vec![0; 64 << 10];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let bytes = answer(nth, &String::from_utf8_lossy(&request[..length]));
            let _ = stream.write_all(&bytes).await;
        }
    });
    (port, seen)
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

fn place(base: &str, allow: &[&str]) -> Place {
    let allow_private = allow.iter().map(|text| text.parse().unwrap()).collect();
    Place { base: base.to_owned(), allow_private, timeout: Duration::from_secs(5) }
}

fn egress(base: &str, allow: &[&str]) -> Result<Egress, String> {
    Egress::new(place(base, allow), Auth::None, &Tls::of_nobody().unwrap())
}

fn local(port: u16) -> Egress {
    egress(&format!("http://127.0.0.1:{port}"), &["127.0.0.1"]).unwrap()
}

fn request(path: &str) -> Request {
    Request { method: "POST".to_owned(), path: path.to_owned(), headers: BTreeMap::new(), body: None, answer_bytes: ANSWER_BYTES }
}

#[test]
fn a_base_is_public_or_listed_and_encrypted_or_the_admins_own() {
    for (base, words) in [
        ("https://127.0.0.1", "a loopback address"),
        ("https://[::1]:8443", "a loopback address"),
        ("https://[::ffff:10.0.0.1]", "a private address"),
        ("https://169.254.169.254/latest", "a link-local address"),
        ("https://100.64.0.1", "a shared (CGNAT) address"),
        ("http://desk.example", "is not encrypted"),
        ("https://user:secret@desk.example", "a query or a user"),
        ("https://desk.example/?a=b", "a query or a user"),
        ("ftp://desk.example", "neither https nor http"),
        ("desk.example", "no url"),
        ("", "no url"),
    ] {
        let problem = egress(base, &[]).err().unwrap();
        assert!(problem.contains(words), "{base}: {problem}");
    }
    for (base, allow) in
        [("https://desk.example/api", &[][..]), ("https://127.0.0.1", &["127.0.0.0/8"]), ("http://10.0.0.1", &["10.0.0.1"])]
    {
        assert!(egress(base, allow).is_ok(), "{base}");
    }
}

#[tokio::test]
async fn a_name_is_judged_by_the_addresses_it_leads_to() {
    let (port, seen) = server(|_, _| ok("")).await;
    // The resolver reads numbers in more forms than a parser of addresses does.
    for host in ["localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1"] {
        let refused = egress(&format!("http://{host}:{port}"), &["10.0.0.0/8"]).unwrap().call(&request("/"), NOW).await.unwrap_err();
        assert!(matches!(&refused, Failure::Unreachable(why) if why.contains("a loopback address")), "{host}: {refused:?}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0, "nobody was called");
    let listed = egress(&format!("http://localhost:{port}"), &["127.0.0.0/8", "::1"]).unwrap();
    assert_eq!(listed.call(&request("/"), NOW).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_nobody_follows_it() {
    let (trap, seen) = server(|_, _| ok("trapped")).await;
    let (port, _) =
        server(move |_, _| format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{trap}/\r\ncontent-length: 0\r\n\r\n").into_bytes())
            .await;
    assert_eq!(local(port).call(&request("/"), NOW).await.unwrap().status, 302);
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_is_read_to_its_bound_and_no_further() {
    let long = "x".repeat(10 << 20);
    let (port, _) = server(move |_, _| ok(&long)).await;
    let answer = local(port).call(&request("/"), NOW).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.whole), (200, ANSWER_BYTES, false));
    let (port, _) = server(|_, _| format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20)).into_bytes()).await;
    assert!(matches!(local(port).call(&request("/"), NOW).await, Err(Failure::Broken(_))), "headers have a bound too");
}

#[tokio::test]
async fn what_may_have_arrived_is_told_from_what_was_never_sent() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let hasty = Place { timeout: Duration::from_millis(100), ..place(&format!("http://127.0.0.1:{port}"), &["127.0.0.1"]) };
    let hasty = Egress::new(hasty, Auth::None, &Tls::of_nobody().unwrap()).unwrap();
    assert!(matches!(hasty.call(&request("/"), NOW).await, Err(Failure::Broken(why)) if why.contains("100 ms")));
    drop(silent);
    assert!(matches!(local(port).call(&request("/"), NOW).await, Err(Failure::Unreachable(_))));
    let (port, _) = server(|_, _| Vec::new()).await;
    assert!(matches!(local(port).call(&request("/"), NOW).await, Err(Failure::Broken(_))));
    // The status is the answer; that the rest was cut off does not undo it.
    let (port, _) = server(|_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut".to_vec()).await;
    let answer = local(port).call(&request("/"), NOW).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str(), answer.whole), (200, "cut", false));
}

#[tokio::test]
async fn a_call_cannot_leave_its_base_or_smuggle_a_header() {
    let (port, seen) = server(|_, request| ok(request.lines().next().unwrap_or_default())).await;
    let below = egress(&format!("http://127.0.0.1:{port}/api/v1/"), &["127.0.0.1"]).unwrap();
    for path in ["tickets", "", "/../admin", "/a/%2E%2e/b", "/a/..%2fb", "/a/..\\b", "/./x", "/a b", "@evil.example/"] {
        assert!(matches!(below.call(&request(path), NOW).await, Err(Failure::Unfit(_))), "{path}");
    }
    for (name, value) in [
        ("x-note", "a\r\nx-admin: yes"),
        ("x note", "a"),
        ("host", "evil.example"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("authorization", "Bearer mine"),
    ] {
        let call = Request { headers: BTreeMap::from([(name.to_owned(), value.to_owned())]), ..request("/") };
        assert!(matches!(below.call(&call, NOW).await, Err(Failure::Unfit(_))), "{name}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    for path in ["/tickets/1?x=..", "//evil.example/x", "/a..b"] {
        let answer = below.call(&request(path), NOW).await.unwrap();
        assert_eq!(answer.body, format!("POST /api/v1{path} HTTP/1.1"));
    }
}

/// Somebody of our own making: the certificate, and a server's settings with it.
fn own(name: &str) -> (CertificateDer<'static>, Arc<rustls::ServerConfig>) {
    let own = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let certificate = CertificateDer::from(own.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    (certificate, Arc::new(config))
}

/// A mail server behind TLS, or one in the open that offers none; it gives what it heard.
async fn mail_server(tls: Option<Arc<rustls::ServerConfig>>) -> (u16, Arc<std::sync::Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::<std::sync::Mutex<String>>::default());
    let book = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &tls {
                None => talk(stream, &book).await,
                Some(tls) => match tokio_rustls::TlsAcceptor::from(tls.clone()).accept(stream).await {
                    Ok(stream) => talk(stream, &book).await,
                    Err(_) => continue,
                },
            }
        }
    });
    (port, heard)
}

/// Says yes to everything that a mail client says.
async fn talk(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, heard: &std::sync::Mutex<String>) {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let mut stream = BufReader::new(stream);
    let _ = stream.write_all(b"220 mail\r\n").await;
    let (mut line, mut data) = (String::new(), false);
    while let Ok(1..) = stream.read_line(&mut line).await {
        heard.lock().unwrap().push_str(&line);
        let answer: &[u8] = match line.as_str() {
            ".\r\n" => b"250 kept\r\n",
            _ if data => b"",
            "DATA\r\n" => b"354 go on\r\n",
            hello if hello.starts_with("EHLO") => b"250-mail\r\n250 AUTH PLAIN\r\n",
            auth if auth.starts_with("AUTH") => b"235 known\r\n",
            _ => b"250 ok\r\n",
        };
        data = line == "DATA\r\n" || (data && line != ".\r\n");
        let _ = stream.write_all(answer).await;
        line.clear();
    }
}

#[tokio::test]
async fn a_mail_and_its_password_are_said_to_somebody_trusted_and_encrypted_or_not_at_all() {
    let (certificate, config) = own("localhost");
    let postbox = |port, tls_first, allow: &[&str]| Postbox {
        host: "localhost".to_owned(),
        port,
        tls_first,
        login: Some(("me".to_owned(), "hunter2".to_owned())),
        from: "desk@example.com".to_owned(),
        allow_private: allow.iter().map(|text| text.parse().unwrap()).collect(),
        timeout: Duration::from_secs(5),
    };
    let own = ["127.0.0.0/8", "::1"];
    let (port, heard) = mail_server(Some(config)).await;
    async fn send(postbox: Postbox, tls: Tls) -> Result<Answer, Failure> {
        let mail = Mail { id: "d-1-alert-1-1", to: "ann@example.com", subject: "Grüße", text: "hello\n." };
        Post::new(postbox, &tls).unwrap().send(&mail, NOW).await
    }
    assert_eq!(send(postbox(port, Some(true), &own), Tls::trusting(vec![certificate]).unwrap()).await.unwrap().status, 250);
    let said = heard.lock().unwrap().clone();
    assert!(said.contains("AUTH PLAIN ") && said.contains("Message-ID: <d-1-alert-1-1@example.com>"), "{said}");
    heard.lock().unwrap().clear();
    let stranger = send(postbox(port, Some(true), &own), Tls::of_nobody().unwrap()).await.unwrap_err();
    assert!(matches!(&stranger, Failure::Unreachable(why) if why.contains("certificate")), "{stranger:?}");
    let private = send(postbox(port, Some(true), &[]), Tls::of_nobody().unwrap()).await.unwrap_err();
    assert!(matches!(&private, Failure::Unreachable(why) if why.contains("a loopback address")), "{private:?}");
    assert_eq!(heard.lock().unwrap().as_str(), "");
    let (open, heard) = mail_server(None).await;
    let bare = send(postbox(open, Some(false), &own), Tls::of_nobody().unwrap()).await.unwrap_err();
    assert!(matches!(&bare, Failure::Unreachable(why) if why.contains("does not offer STARTTLS")), "{bare:?}");
    assert!(!heard.lock().unwrap().contains("AUTH"), "{heard:?}");
}

#[tokio::test]
async fn a_certificate_is_from_somebody_trusted_or_nothing_is_sent() {
    let (certificate, config) = own("localhost");
    let (acceptor, listener) = (tokio_rustls::TlsAcceptor::from(config), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(&ok("secret")).await;
            let _ = stream.shutdown().await;
        }
    });
    let roots = vec![certificate];
    let call = |host: &str, tls: Tls| {
        let place = place(&format!("https://{host}:{port}"), &["127.0.0.0/8", "::1"]);
        async move { Egress::new(place, Auth::None, &tls).unwrap().call(&request("/"), NOW).await }
    };
    assert_eq!(call("localhost", Tls::trusting(roots.clone()).unwrap()).await.unwrap().body, "secret");
    let stranger = call("localhost", Tls::of_nobody().unwrap()).await.unwrap_err();
    assert!(matches!(&stranger, Failure::Unreachable(why) if why.contains("certificate")), "{stranger:?}");
    let other_name = call("127.0.0.1", Tls::trusting(roots).unwrap()).await.unwrap_err();
    assert!(matches!(&other_name, Failure::Unreachable(why) if why.contains("certificate")), "{other_name:?}");
}

#[tokio::test]
async fn a_token_is_fetched_once_kept_and_fetched_anew_when_it_is_refused() {
    let (tokens, fetched) = server(|nth, request| {
        assert!(request.ends_with("grant_type=client_credentials&client_id=me&client_secret=s+%26+s"), "{request}");
        ok(&format!(r#"{{"access_token":"t{nth}","expires_in":3600}}"#))
    })
    .await;
    // The first token works twice, and is revoked then.
    let (port, seen) = server(|nth, request| {
        let good = request.contains(if nth < 2 { "Bearer t0\r\n" } else { "Bearer t1\r\n" });
        if good { ok("") } else { b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec() }
    })
    .await;
    let tls = Tls::of_nobody().unwrap();
    let login = |port: u16| {
        let credentials = Credentials { client_id: "me".to_owned(), client_secret: "s & s".to_owned(), scope: None };
        let login = Login::new(place(&format!("http://127.0.0.1:{port}"), &["127.0.0.1"]), "/token".to_owned(), &credentials, &tls);
        Auth::Login(Box::new(login.unwrap()))
    };
    let at = || place(&format!("http://127.0.0.1:{port}"), &["127.0.0.1"]);
    let desk = Egress::new(at(), login(tokens), &tls).unwrap();
    for _ in 0..3 {
        assert_eq!(desk.call(&request("/"), NOW).await.unwrap().status, 200);
    }
    assert_eq!((fetched.load(Ordering::SeqCst), seen.load(Ordering::SeqCst)), (2, 4));
    let later = Timestamp(NOW.0 + 3_600_000);
    assert_eq!(desk.call(&request("/"), later).await.unwrap().status, 401, "t2 is not taken, nor is t3");
    assert_eq!(fetched.load(Ordering::SeqCst), 4, "an old token is not even tried");

    let (closed, _) = server(|_, request| {
        let refusal = format!("you sent {request}");
        format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{refusal}", refusal.len()).into_bytes()
    })
    .await;
    let refused = Egress::new(at(), login(closed), &tls).unwrap().call(&request("/"), NOW).await.unwrap_err();
    assert_eq!(refused, Failure::Login("its place answered 403".to_owned()));
}
