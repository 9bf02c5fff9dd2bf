//! The cage of the activation child: from here on it may compute, use memory, and read and write what is open already. Nothing else.
//!
//! A second wall behind the sandbox. Whoever breaks out of the compiler finds no call for a socket, another program, another process or
//! another file: the kernel refuses them (`EPERM`), as it refuses every call that is not on the list. Called once, before the first
//! foreign byte is read; there is no way out of it for the life of the process.

/// Shuts the calling thread in.
///
/// # Errors
/// Why there is no cage: a platform without one, or a kernel that refuses it. The other limits of the child hold all the same.
pub fn close() -> Result<(), String> {
    platform::close()
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod platform {
    use libc::c_long;
    use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

    /// What compiling and running a guest needs, whatever the arguments.
    const PLAIN: [c_long; 29] = [
        // What is open already: two pipes, the artefact, the functions.
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_lseek,
        libc::SYS_close,
        libc::SYS_fstat,
        // Memory; machine code is made here.
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_membarrier,
        // Locks, and waiting on them.
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_restart_syscall,
        // A guest's traps are signals first.
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        // Time, seeds of hash maps, who this is, and the end.
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_exit_group,
    ];

    pub(super) fn close() -> Result<(), String> {
        let program = program().map_err(|error| format!("the list of system calls cannot be made: {error}"))?;
        seccompiler::apply_filter(&program).map_err(|error| format!("the kernel takes no list of system calls: {error}"))
    }

    fn program() -> Result<BpfProgram, seccompiler::BackendError> {
        // An abort is a signal to oneself, and to nobody else.
        let myself = u64::from(std::process::id());
        let to_myself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, myself)?;
        let plain = PLAIN.map(|call| (call, Vec::new()));
        let signal = (libc::SYS_tgkill, vec![SeccompRule::new(vec![to_myself])?]);
        let refused = SeccompAction::Errno(libc::EPERM as u32);
        let arch = std::env::consts::ARCH.try_into()?;
        SeccompFilter::new(plain.into_iter().chain([signal]).collect(), refused, SeccompAction::Allow, arch)?.try_into()
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod platform {
    pub(super) fn close() -> Result<(), String> {
        Err(format!("signalbox knows no list of system calls for {} on {}", std::env::consts::OS, std::env::consts::ARCH))
    }
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::process::{Command, exit};

    /// Tells the second process, which is this very test again, what to try.
    const TRY: &str = "SIGNALBOX_TEST_CAGE";

    /// Tries one thing with a file, or with an address that somebody listens at.
    fn attempt(what: &str, at: &str) -> std::io::Result<()> {
        match what {
            "compute" => {
                let long: Vec<u64> = (0..1_000_000).collect();
                let sum: u64 = long.iter().sum();
                if sum == 499_999_500_000 { Ok(()) } else { Err(std::io::Error::other("wrong")) }
            }
            "connect" => TcpStream::connect(at).map(drop),
            "listen" => TcpListener::bind("127.0.0.1:0").map(drop),
            "datagram" => UdpSocket::bind("127.0.0.1:0").map(drop),
            "run" => Command::new("/bin/true").status().map(drop),
            "thread" => std::thread::Builder::new().spawn(|| ()).map(drop),
            "read" => fs::read("/etc/hostname").map(drop),
            "write" => fs::write(at, "broken out"),
            "append" => fs::OpenOptions::new().append(true).open(at).and_then(|mut file| file.write_all(b"x")),
            "remove" => fs::remove_file(at),
            "rename" => fs::rename(at, format!("{at}.moved")),
            "list" => fs::read_dir("/").map(drop),
            "signal" => {
                let parent = at.parse().ok().and_then(rustix::process::Pid::from_raw).expect("the outer test");
                rustix::process::test_kill_process(parent).map_err(Into::into)
            }
            other => Err(std::io::Error::other(other.to_owned())),
        }
    }

    /// Runs this test again as a process of its own that shuts itself in, or does not, and tries one thing.
    fn tried(what: &str, at: &str, caged: bool) -> bool {
        let inside = format!("{what}|{at}|{caged}");
        let output = Command::new(std::env::current_exe().expect("a test has a file"))
            .args(["--exact", "plugin::cage::tests::the_kernel_refuses_what_is_not_on_the_list", "--test-threads=1"])
            .env(TRY, inside)
            .output()
            .expect("and can be started again");
        match output.status.code() {
            Some(70) => true,
            Some(71) => false,
            other => panic!("{what}: {other:?} {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    #[test]
    fn the_kernel_refuses_what_is_not_on_the_list() {
        let inside = std::env::var_os(TRY);
        if let Some(inside) = inside.and_then(|inside| inside.into_string().ok()) {
            let mut parts = inside.split('|');
            let (what, at, caged) = (parts.next().unwrap(), parts.next().unwrap(), parts.next() == Some("true"));
            if caged {
                super::close().unwrap();
            }
            exit(match attempt(what, at) {
                Ok(()) => 70,
                Err(error) if !caged || error.kind() == std::io::ErrorKind::PermissionDenied => 71,
                Err(error) => panic!("{what} failed otherwise: {error}"),
            });
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("kept");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        for what in ["connect", "listen", "datagram", "run", "thread", "read", "write", "append", "remove", "rename", "list", "signal"] {
            fs::write(&file, "as it was").unwrap();
            let at = match what {
                "connect" => address.clone(),
                "signal" => std::process::id().to_string(),
                _ => file.to_str().unwrap().to_owned(),
            };
            assert!(!tried(what, &at, true), "{what} was done inside");
            assert_eq!(fs::read_to_string(&file).unwrap(), "as it was", "{what}");
            assert!(tried(what, &at, false), "{what} can be done outside: it is the cage that refuses it");
        }
        assert!(tried("compute", "", true), "what the child is for goes on");
    }
}
