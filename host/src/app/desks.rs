//! Where calls go and how they prove themselves: every desk, sink and mail server of the config, as the delivery worker wants them.

use std::collections::BTreeMap;

use crate::config::{AlertConfig, AlertWay, Config, TIMEOUT, Veil};
use crate::delivery::{Desk, Way};
use crate::egress::{Auth, Credentials, Login, Place, Postbox, Tls};
use crate::source::outbound::{Outbound, OutboundAuth};

/// Where calls go, by the names that the outbox knows: the places in the config.
pub(super) fn desks(config: &Config, tls: &Tls) -> anyhow::Result<BTreeMap<String, Desk>> {
    let mut desks = BTreeMap::new();
    for (name, source) in &config.sources {
        if let Some(outbound) = source.source.outbound() {
            let name = format!("sources.{name}");
            let desk = desk(outbound, tls).map_err(|problem| anyhow::anyhow!("{name}.outbound: {problem}"))?;
            desks.insert(name, desk);
        }
    }
    for (name, sink) in &config.sinks {
        let place = Place { base: sink.base.clone(), allow_private: sink.allow_private.clone(), timeout: sink.timeout };
        let way = Way::Web { place, auth: Auth::Signed(sink.secret.clone()) };
        desks.insert(format!("sinks.{name}"), Desk { way, mode: sink.mode, retry: sink.retry });
    }
    for (name, sink) in &config.alerts {
        if let Some(way) = alerted(sink) {
            desks.insert(format!("alerts.{name}"), Desk { way, mode: sink.mode, retry: sink.retry });
        }
    }
    Ok(desks)
}

/// The way to a sink of alerts; none where it is the source's own.
fn alerted(sink: &AlertConfig) -> Option<Way> {
    let (allow_private, timeout) = (sink.allow_private.clone(), sink.timeout);
    match &sink.way {
        AlertWay::Webhook { base, secret, .. } => {
            Some(Way::Web { place: Place { base: base.clone(), allow_private, timeout }, auth: Auth::Signed(secret.clone()) })
        }
        AlertWay::Mail { host, port, veil, login, from, .. } => {
            let tls_first = match veil {
                Veil::Tls => Some(true),
                Veil::StartTls => Some(false),
                Veil::None => None,
            };
            let login = login.as_ref().map(|(user, password)| (user.clone(), password.expose().to_owned()));
            Some(Way::Mail(Postbox { host: host.clone(), port: *port, tls_first, login, from: from.clone(), allow_private, timeout }))
        }
        AlertWay::Note => None,
    }
}

/// A source's way back to its desk.
fn desk(outbound: &Outbound, tls: &Tls) -> Result<Desk, String> {
    let allow_private = outbound.allow_private.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let place = Place { base: outbound.base.clone(), allow_private, timeout: TIMEOUT };
    let auth = match &outbound.auth {
        OutboundAuth::None => Auth::None,
        OutboundAuth::Header { name, value } => Auth::Headers(vec![(name.clone(), value.expose().to_owned())]),
        OutboundAuth::ClientCredentials { token_path, client_id, client_secret, scope } => {
            let (client_id, client_secret) = (client_id.clone(), client_secret.expose().to_owned());
            let credentials = Credentials { client_id, client_secret, scope: scope.clone() };
            Auth::Login(Box::new(Login::new(place.clone(), token_path.clone(), &credentials, tls)?))
        }
    };
    Ok(Desk { way: Way::Web { place, auth }, mode: outbound.mode, retry: outbound.retry })
}
