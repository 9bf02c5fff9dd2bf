"""Posts of our own about IT service: the recipe that makes data/posts.train.tsv, and how the trainers read it.

Own work, under the repository's licence. A template is filled with slots, dressed (mention, hashtag, emoji) and roughed up
(typos, capitals, held letters), all from one seed. data/posts.heldout.tsv was written by hand, apart from this file: no
template and no slot is shared on purpose, and nothing is trained on it.

usage: own.py      (writes data/posts.train.tsv)
"""

import csv
import random
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIELDS = ["sentiment", "kind", "escalate", "lang", "text"]

SLOTS = {
    "svc": ["the VPN", "your VPN", "my VPN", "the wifi", "the internet", "Outlook", "the mail server", "Teams", "the portal", "your app", "the app", "the website", "your site", "the checkout",
            "the payment page", "the printer", "the scanner", "SSO", "the login", "the phone system", "the CRM", "SAP", "the ERP", "the booking system", "the file share", "SharePoint",
            "the intranet", "the customer portal", "your API", "the webshop", "the router", "the server", "the database", "the cash register", "the card reader", "broadband", "4G", "the streaming box"],
    "dev": ["laptop", "phone", "monitor", "docking station", "keyboard", "headset", "tablet", "router", "printer", "webcam", "charger", "mouse"],
    "since": ["since 9am", "since this morning", "since yesterday", "for three hours", "for two days", "all day", "all morning", "for the third time this week", "since the update", "for an hour now", "since Monday", "the whole week"],
    "long": ["two hours", "three hours", "45 minutes", "90 minutes", "an hour", "four days", "a week", "three weeks", "ten days", "over a month"],
    "data": ["all my photos", "my thesis", "six months of invoices", "our customer list", "my contacts", "three years of emails", "the whole project folder", "all my notes", "our orders", "my settings"],
    "who": ["Maria", "Tom on the help desk", "the night shift", "your support", "the service desk", "Priya", "the technician", "your chat agent", "Ahmed", "the field engineer", "the team", "Jonas from IT"],
    "brand": ["@acme", "@acmehelp", "@northtel", "@AcmeSupport", "@city_it", "@bluebank", "@fastnet", "@shopwise"],
    "task": ["reset my password", "install the VPN client", "set up two-factor", "share a calendar", "add a printer", "change my email address", "connect the second monitor", "export my data", "update the drivers", "forward my phone",
             "order a new laptop", "request access to the finance folder", "turn off the notifications", "map the network drive", "book a meeting room", "download my invoice"],
    "feat": ["a dark mode", "an export to Excel", "push notifications", "single sign-on", "a Finnish translation", "offline mode", "a bigger font", "keyboard shortcuts", "a search box", "an undo button", "calendar sync"],
    "amount": ["49.99", "120 euros", "$300", "£18", "two months", "the full year", "89 dollars"],
    "bad": ["ridiculous", "unacceptable", "a joke", "so frustrating", "a disgrace", "beyond a joke", "really annoying", "pathetic", "terrible", "not good enough", "embarrassing", "exhausting"],
    "good": ["great", "brilliant", "fantastic", "excellent", "amazing", "superb", "lovely", "so helpful", "first class", "outstanding"],
    "day": ["Monday", "Tuesday", "Friday", "Sunday night", "tomorrow", "next week", "the 14th", "Thursday morning"],
    "group": ["nobody in the office", "no one in our team", "none of us", "nobody on the third floor", "the whole company", "all 40 of us", "not one of our stores", "nobody in accounting"],
}

# kind, sentiment, escalate, templates. Twins stand side by side.
ENGLISH = [
    ("outage", "negative", 1, ["{svc} is down {since}", "{svc} has been down {since} and {group} can work", "{svc} down AGAIN", "is {svc} down? {group} can log in {since}", "{group} can reach {svc} {since}. This is {bad}",
        "{svc} keeps dropping every five minutes {since}", "total outage of {svc}, {group} can work", "{svc} is completely dead {since}, any news?", "we lost {svc} {since}, orders are piling up", "502 on {svc} {since}",
        "third outage of {svc} this month", "{svc} not working {since}, customers are walking out", "nothing loads, {svc} timing out {since}", "{svc} offline and your status page says all green"]),
    ("resolved", "neutral", 0, ["{svc} was down this morning, works again", "{svc} is back", "update: {svc} is up again on our side", "{svc} was offline for an hour, seems fixed now", "ok {svc} works again after a restart", "can confirm {svc} is back to normal",
        "the issue with {svc} is resolved, you can close the ticket", "false alarm, {svc} is fine, it was my cable"]),
    ("resolved-happy", "positive", 0, ["{svc} works again, thank you!", "{svc} is back, thanks for the quick fix", "finally fixed, thanks {who}", "that solved it, {svc} works perfectly now", "wow, {svc} was fixed in ten minutes, {good}", "problem with {svc} solved, {who} was {good}",
        "the outage of {svc} was handled {good}ly, thanks for the updates"]),
    ("hypothetical", "neutral", 0, ["what happens if {svc} goes down on {day}?", "if {svc} fails, who do we call?", "in case {svc} is down, is there a backup?", "what would happen to my data if the {dev} died?", "planning for an outage of {svc}: what is the procedure?",
        "is there a runbook for when {svc} is offline?", "how would I report it if I lost my {dev}?", "suppose {svc} crashed during the demo, what is plan B?"]),
    ("sarcasm", "negative", 0, ["oh great, {svc} is down again", "Fantastic, another outage of {svc}", "love how {svc} is down every {day}", "wow, only {long} on hold, what a treat", "great job breaking {svc} with that update", "thanks for deleting {data}, really",
        "so glad the update killed {svc}", "nothing like {svc} crashing on {day} to start the day", "brilliant, {svc} logged me out again. Slow clap.", "what a surprise, {svc} is not working", "best service ever, waiting {long} for a reply",
        "my favourite part of the day: waiting {long} for {svc}", "yeah because who needs {svc} to work anyway", "congrats on the new {svc}, now nothing works", "wonderful, my {dev} died during the call. Just perfect.", "Thank you so much {brand} for the {long} on hold"]),
    ("sincere", "positive", 0, ["{svc} is {good} since the update", "oh {good}, {svc} is back up", "love how fast {svc} is now", "wow, only two minutes on hold, what a treat", "great job on the new {svc}", "thanks for recovering {data}, really", "so glad the update fixed {svc}",
        "{svc} has been running without a hitch {since}, {good}", "best service ever, a reply within five minutes", "what a nice surprise, {svc} works better than before", "my favourite help desk: {who} always picks up", "congrats on the new {svc}, it works like a charm",
        "Thank you so much {brand} for the quick help", "{good} support from {who}, the outage was over in minutes"]),
    ("lockout", "negative", 1, ["locked out of my account {since}", "I'm locked out and the reset mail never arrives", "account blocked {since}, cannot work, deadline on {day}", "the password reset doesn't work, still locked out", "two-factor codes never arrive, can't log in {since}", "why is my account disabled again?? I have a deadline",
        "locked out of {svc} for {long} and nobody answers"]),
    ("lost-data", "negative", 1, ["the update deleted {data}", "{data} gone after the migration", "I lost {data} and support shrugs", "your app crashed and ate {data}", "the backup is empty and {data} is gone", "{svc} wiped {data}, I am devastated", "where is {data}?? everything vanished after the sync"]),
    ("hold", "negative", 0, ["on hold for {long} now", "been waiting {long} for a reply", "{long} on hold and then the call dropped", "still no answer after {long}", "ticket open for {long}, no response", "nobody picks up the phone, {long} and counting", "your chat said 5 minutes, it has been {long}",
        "third time I call about {svc}, {long} each time", "I've been transferred five times about {svc}"]),
    ("how-to", "neutral", 0, ["how do I {task}?", "where can I {task}?", "can someone tell me how to {task}", "I need to {task}, where is the form?", "is it possible to {task} from home?", "which port does {svc} use?", "how to {task} on a Mac?", "does {svc} work with Linux?", "quick question: can I {task} myself?",
        "what is the number of the service desk?", "when is the maintenance window of {svc}?", "hi, I would like to {task} please", "please {task} for our new colleague who starts on {day}"]),
    ("info", "neutral", 0, ["maintenance of {svc} on {day} from 22:00 to 23:00", "new {dev} arrived, will set it up on {day}", "{brand} releases a new version of {svc} on {day}", "I will install the update of {svc} {day}", "my order number is 48213", "see ticket 10081 for the logs of {svc}", "the meeting about {svc} moved to {day}",
        "sent you a DM about {svc}", "attached the screenshot of {svc} as requested", "{brand} hi, it is about the {dev} from last week", "we use {svc} in two offices", "the {dev} is a model from 2019", "just switched from cable to {svc}", "someone from {brand} called about {svc}", "talked to {who} about {svc} on {day}", "{who} will come by on {day}", "our office uses {svc}, the warehouse does not", "{svc} licence runs until next year", "reminder: training for {svc} on {day}"]),
    ("praise", "positive", 0, ["{who} was {good}, thank you", "huge thanks to {who}, {svc} runs again", "{good} support today, fixed in minutes", "the new {svc} is {good}", "shout out to {who} for saving {data}", "love the new {dev}, so fast", "smooth migration, not a single problem, {good} work", "five stars for {who}",
        "{svc} just works. {good}!", "never had a problem with {svc}, {good}", "impressed by how quickly {who} replied", "kudos to {who}, my {dev} is as good as new", "not bad at all, {svc} is much faster now", "no complaints, {svc} works fine", "can't fault the support, {good}", "I can't recommend {who} enough"]),
    ("complaint", "negative", 0, ["the new {svc} is {bad}", "{svc} is slower than ever", "your update made {svc} unusable", "worst support I ever had", "nobody at {brand} reads the tickets", "the {dev} broke after two weeks, {bad}", "not impressed with the new {svc}", "support closed my ticket without fixing {svc}",
        "paying {amount} for {svc} that never works is {bad}", "{who} hung up on me", "so tired of {svc}", "the {dev} arrived with a cracked screen", "{svc} crashes every time I open it", "your engineer didn't show up on {day}", "it's {bad} how slow {svc} is", "I can't recommend {brand}, {bad} service",
        "{svc} isn't good, it isn't even ok", "asked for help with {svc}, got a copy-paste answer", "the {dev} gets hot and the fan screams", "still can't {task}, the page just spins"]),
    ("but-down", "negative", 0, ["nice people, but {svc} still doesn't work", "the new design is pretty but {svc} is unusable", "{who} was friendly but {svc} is still down", "I like the {dev} but the battery is {bad}"]),
    ("but-up", "positive", 0, ["took a while, but {svc} works {good} now", "the start was rough but {who} fixed {svc}, thanks", "{svc} is a bit ugly but it works {good}", "I was sceptical about the new {svc}, but it's {good}"]),
    ("idea", "neutral", 0, ["would be nice to have {feat} in {svc}", "feature request: {feat} for {svc}", "have you thought about {feat}?", "suggestion: add {feat} to {svc}", "any plans for {feat} in {svc}?", "could {svc} get {feat}?"]),
    ("idea-happy", "positive", 0, ["love {svc}! would be even better with {feat}", "{svc} is {good}, {feat} would make it perfect", "happy with {svc}, now give us {feat} please :)"]),
    ("billing", "negative", 0, ["you charged me twice for {svc}", "charged {amount} after I cancelled, I want it back", "where is my refund of {amount}? waiting {long}", "the invoice is wrong again, {amount} too much", "hidden fees of {amount}, {bad}", "you took {amount} from my card without asking"]),
    ("billing-ask", "neutral", 0, ["where do I find my invoice of May?", "can I pay {svc} by credit card?", "does the price of {svc} include VAT?", "when is the next payment of {amount} due?", "please send the invoice to accounting"]),
    ("security", "negative", 1, ["I think my account was hacked", "someone logged in to my {svc} account from another country", "I can see other customers' invoices in {svc}", "got a phishing mail that looks like {brand}, colleagues already clicked", "ransom note on my {dev}, all files encrypted", "our customer data is on a public link, {data} included",
        "I clicked the link and typed my password, help", "my {dev} with customer data was stolen", "your API returns other people's orders", "someone is using my account to send spam", "a caller said he is from IT and wanted my password, I gave it to him", "leaked passwords of {brand} users are on a forum"]),
    ("security-ask", "neutral", 0, ["is this mail from {brand} legit?", "how do I turn on two-factor for {svc}?", "which antivirus do we use?", "where do I report phishing mails?", "what is the password policy for {svc}?", "the phishing training is on {day}"]),
    ("safety", "negative", 1, ["the {dev} is smoking", "my {dev} caught fire while charging", "there is a burning smell from the server room", "got an electric shock from the {dev}", "the battery of my {dev} is swollen and hot", "cannot call 112, all phones are dead", "the alarm system at the hospital is offline", "the elevator emergency phone doesn't work, people are stuck",
        "patient monitors lost the network, we are on paper"]),
    ("figurative", "positive", 0, ["the new {dev} is fire", "{svc} is killing it since the update", "this update is the bomb, {good}", "{who} is on fire today, five tickets solved", "sick new feature in {svc}, love it"]),
    ("legal", "negative", 1, ["you will hear from my lawyer about {amount}", "I'm taking this to the ombudsman", "this is a GDPR violation and I will report you", "see you in small claims court over {amount}", "my solicitor will contact you about {data}"]),
    ("threat", "negative", 1, ["I know where your office is, you will regret this", "someone should burn your office down", "I'll come over and smash your servers", "fix it or I will hurt someone", "you people deserve a beating and I am on my way"]),
    ("self-harm", "negative", 1, ["I can't take this any more, I want to die", "you ruined my business, I don't want to live", "after losing {data} I see no reason to go on", "maybe I should just end it all"]),
    ("churn", "negative", 0, ["cancelling my contract, {svc} never works", "that's it, switching to another provider", "last time I buy a {dev} from {brand}", "how do I close my account? I've had enough", "goodbye {brand}, after ten years I'm done", "moving our 200 seats elsewhere because of {svc}"]),
    ("quoted", "neutral", 0, ["a customer wrote \"{svc} is terrible\", how should we answer?", "the survey asks if {svc} is \"awful\" or \"great\"", "my boss says {svc} is {bad}, what are the real numbers?"]),
    ("calm-fault", "neutral", 0, ["error 0x80070005 when opening {svc}", "{svc} shows error 404 on the second page, version 2.3", "the {dev} is not detected by Windows 11, driver 4.1 installed", "since the update {svc} asks for the password twice", "printer on floor 2 is out of toner", "my {dev} needs a new battery",
        "no rush: the clock in {svc} is one hour off"]),
]

# Other languages: kind, sentiment, escalate, language, posts; a slot is "{s}" for a service.
SERVICES = ["VPN", "wifi", "Outlook", "Teams", "SAP", "app", "portal", "router", "printer", "login"]
OTHERS = [
    ("outage", "negative", 1, "de", ["{s} geht seit heute früh nicht, keiner kann arbeiten", "schon wieder {s} Ausfall, das ist eine Frechheit", "{s} seit Stunden tot und niemand geht ans Telefon", "Totalausfall {s} in allen Filialen", "{s} stürzt dauernd ab, ich habe die Schnauze voll"]),
    ("resolved", "neutral", 0, "de", ["{s} läuft wieder", "{s} war heute früh weg, geht jetzt wieder", "Ticket kann zu, {s} funktioniert"]),
    ("praise", "positive", 0, "de", ["vielen Dank, {s} läuft wieder, super Service", "{s} endlich schnell, top gemacht", "Hut ab vor eurem Support, in zehn Minuten gelöst", "das neue {s} gefällt mir sehr gut", "großes Lob an die Kollegin vom Service Desk"]),
    ("how-to", "neutral", 0, "de", ["wie richte ich {s} ein?", "wo finde ich das Formular für {s}?", "wann ist das Wartungsfenster für {s}?", "ich brauche Zugriff auf {s}, wer kann das freischalten?", "meine Bestellnummer ist 4711"]),
    ("sarcasm", "negative", 0, "de", ["na toll, {s} schon wieder weg", "super, zwei Stunden Warteschleife wegen {s}. Danke für nichts", "ganz großes Kino, {s} geht nach dem Update nicht mehr"]),
    ("lockout", "negative", 1, "de", ["ich komme nicht mehr in mein Konto, morgen ist Abgabe", "ausgesperrt seit gestern, keiner hilft", "alle meine Fotos sind nach dem Update weg"]),
    ("outage", "negative", 1, "es", ["{s} no funciona desde esta mañana, nadie puede trabajar", "otra vez caído {s}, una vergüenza", "llevo dos horas esperando por {s} y nadie contesta", "{s} se cae cada cinco minutos, estoy harto", "he perdido todos mis datos por culpa de {s}"]),
    ("resolved", "neutral", 0, "es", ["{s} ya funciona de nuevo", "{s} estuvo caído por la mañana, ya está resuelto"]),
    ("praise", "positive", 0, "es", ["gracias por la ayuda con {s}, excelente servicio", "{s} va genial después de la actualización", "muy contento con el soporte, lo arreglaron en minutos", "el nuevo {s} me encanta"]),
    ("how-to", "neutral", 0, "es", ["¿cómo instalo {s}?", "¿dónde puedo cambiar la contraseña de {s}?", "necesito acceso a {s}, ¿a quién escribo?", "¿a qué hora es el mantenimiento de {s}?"]),
    ("sarcasm", "negative", 0, "es", ["genial, otra vez sin {s}", "qué maravilla, tres horas al teléfono por {s}", "gracias por nada"]),
    ("outage", "negative", 1, "fr", ["{s} en panne depuis ce matin, personne ne peut travailler", "encore une panne de {s}, c'est honteux", "j'attends depuis deux heures pour {s}, personne ne répond", "{s} plante sans arrêt, j'en ai marre", "j'ai perdu toutes mes données avec {s}"]),
    ("resolved", "neutral", 0, "fr", ["{s} remarche", "{s} était en panne ce matin, c'est rétabli"]),
    ("praise", "positive", 0, "fr", ["merci beaucoup, {s} marche parfaitement", "bravo à l'équipe, {s} réparé en dix minutes", "très satisfait du support", "le nouveau {s} est génial, j'adore"]),
    ("how-to", "neutral", 0, "fr", ["comment installer {s} ?", "où changer mon mot de passe {s} ?", "à quelle heure est la maintenance de {s} ?", "je voudrais un accès à {s} s'il vous plaît"]),
    ("sarcasm", "negative", 0, "fr", ["super, encore une panne de {s}", "génial, deux heures d'attente pour {s}. Merci pour rien"]),
    ("outage", "negative", 1, "fi", ["{s} ei toimi, kukaan ei pääse töihin", "{s} taas alhaalla, todella ärsyttävää", "olen jonottanut kaksi tuntia {s} takia", "kaikki tiedostoni katosivat päivityksessä", "surkea palvelu, {s} kaatuu koko ajan"]),
    ("praise", "positive", 0, "fi", ["kiitos, {s} toimii taas", "loistava palvelu, {s} korjattiin nopeasti", "uusi {s} on todella hyvä", "iso kiitos asiakaspalvelulle"]),
    ("how-to", "neutral", 0, "fi", ["miten asennan {s}?", "mistä voin vaihtaa salasanan?", "milloin {s} huoltokatko on?", "tarvitsen tunnukset palveluun {s}"]),
    ("outage", "negative", 1, "pt", ["{s} fora do ar desde cedo, ninguém consegue trabalhar", "{s} não funciona de novo, que vergonha", "estou há duas horas esperando por causa do {s}", "perdi todos os meus dados com o {s}"]),
    ("praise", "positive", 0, "pt", ["obrigado, o {s} voltou a funcionar, ótimo atendimento", "adorei o novo {s}", "suporte excelente, resolvido em minutos"]),
    ("how-to", "neutral", 0, "pt", ["como instalo o {s}?", "onde troco a senha do {s}?", "qual é o horário da manutenção do {s}?"]),
    ("outage", "negative", 1, "it", ["{s} non funziona da stamattina, nessuno riesce a lavorare", "ancora un guasto di {s}, è vergognoso", "aspetto da due ore per {s} e nessuno risponde", "ho perso tutti i dati con {s}"]),
    ("praise", "positive", 0, "it", ["grazie mille, {s} funziona di nuovo, ottimo servizio", "il nuovo {s} è fantastico", "assistenza gentilissima, risolto in pochi minuti"]),
    ("how-to", "neutral", 0, "it", ["come installo {s}?", "dove cambio la password di {s}?", "a che ora è la manutenzione di {s}?"]),
]

EMOJI = {"negative": ["😡", "😤", "🙄", "👎", "😩", ":(", "😭", "🤦", "🤬", ":-("], "positive": ["😊", "👍", "❤️", "🙏", ":)", "🎉", "😍", "👏", ":-)", "💯"], "neutral": ["🤔", "", "", "", ":)"]}
TAGS = {"negative": ["#fail", "#outage", "#help", "#itsupport", "#customerservice"], "positive": ["#thankyou", "#itsupport", "#greatservice"], "neutral": ["#help", "#question", "#itsupport"]}
PER_TEMPLATE = 15


def fill(rng, template):
    while "{" in template:
        name = template[template.index("{") + 1 : template.index("}")]
        template = template.replace("{" + name + "}", rng.choice(SERVICES if name == "s" else SLOTS[name]), 1)
    for article in ("the ", "my ", "your "):
        template = template.replace("new " + article, "new ")
    return template


def rough(rng, text, sentiment):
    """What people's thumbs do."""
    roll = rng.random()
    if roll < 0.08:
        words = text.split()
        at = rng.randrange(len(words))
        words[at] = words[at].upper()
        text = " ".join(words)
    elif roll < 0.12:
        text = text.upper()
    elif roll < 0.32:
        text = text.lower()
    elif roll < 0.45:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.10 and len(text) > 12:
        at = rng.randrange(3, len(text) - 3)
        if text[at].isalpha() and text[at + 1].isalpha():
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if rng.random() < 0.06:
        for word in ("so", "really", "please", "again", "thanks", "great", "still"):
            if f" {word} " in text:
                text = text.replace(f" {word} ", f" {word}{word[-1] * 3} ", 1)
                break
    if rng.random() < 0.25 and sentiment != "neutral":
        text += rng.choice(["!", "!!", "!!!"])
    elif rng.random() < 0.2:
        text += "."
    return text


def dress(rng, text, sentiment):
    if rng.random() < 0.35 and not text.lower().startswith("@"):
        text = rng.choice(SLOTS["brand"]) + " " + text
    if rng.random() < 0.18:
        text += " " + rng.choice(EMOJI[sentiment])
    if rng.random() < 0.12:
        text += " " + rng.choice(TAGS[sentiment])
    if rng.random() < 0.06:
        text += " https://example.com/" + str(rng.randrange(1000))
    return text.strip()


def make(seed=20):
    rng, rows, seen = random.Random(seed), [], set()
    table = [(kind, sentiment, escalate, "en", templates) for kind, sentiment, escalate, templates in ENGLISH] + OTHERS
    for kind, sentiment, escalate, lang, templates in table:
        for template in templates:
            for _ in range(PER_TEMPLATE if lang == "en" else 8):
                text = dress(rng, rough(rng, fill(rng, template), sentiment), sentiment)
                if text.lower() not in seen:
                    seen.add(text.lower())
                    rows.append({"sentiment": sentiment, "kind": kind, "escalate": escalate, "lang": lang, "text": text})
    return rows


def read(name):
    with open(HERE / "data" / name, encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


if __name__ == "__main__":
    rows = make()
    with open(HERE / "data" / "posts.train.tsv", "w", encoding="utf-8") as f:
        f.write("\t".join(FIELDS) + "\n")
        f.writelines("\t".join(str(r[k]) for k in FIELDS) + "\n" for r in rows)
    print(len(rows), "posts")
