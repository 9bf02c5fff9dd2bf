//! What the training tool asks of this crate: builds the word table, and writes down the features of texts.
//!
//! `features words WORDS.tsv OUT BITS`: a table from lines of word, cluster path or `-`, valence.
//! `features dump WORDS.bin LEAST MOST SKIPS TONE < texts > features`: for each line of text a `u32` count, then for each
//! feature a `u32` of its hash and a `u8` of its group.
#![expect(clippy::unwrap_used, reason = "a tool for training: it stops where something is wrong")]

use std::io::{BufRead, BufWriter, Write};
use std::{env, fs, io};

use signalbox_model::words::{Known, NO_CLUSTER};
use signalbox_model::{Shape, Sink, Words, features};
use signalbox_sdk::text::Text;

struct Dump(Vec<u8>, u32);

impl Sink for Dump {
    fn add(&mut self, group: usize, hash: u32, _tokens: (u32, u32)) {
        self.0.extend(hash.to_le_bytes());
        self.0.push(group as u8);
        self.1 += 1;
    }
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["words", from, to, bits] => words(from, to, bits.parse().unwrap()),
        ["dump", table, least, most, skips, tone] => {
            let shape = Shape { pieces: (least.parse().unwrap(), most.parse().unwrap()), skips: *skips == "1", tone: *tone == "1" };
            let bytes = if *table == "-" { Vec::new() } else { fs::read(table).unwrap() };
            dump(&Words::over(&bytes), shape);
        }
        _ => panic!("see the head of this file"),
    }
}

fn words(from: &str, to: &str, bits: u32) {
    let (mut paths, mut known) = (Vec::<(u32, u32)>::new(), Vec::new());
    for line in fs::read_to_string(from).unwrap().lines() {
        let [word, path, valence] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let read = Text::read(word);
        if read.tokens.len() != 1 {
            continue;
        }
        let cluster = if path == "-" {
            NO_CLUSTER
        } else {
            let place = (u32::from_str_radix(path, 2).unwrap(), path.len() as u32);
            paths.iter().position(|known| *known == place).unwrap_or_else(|| {
                paths.push(place);
                paths.len() - 1
            }) as u16
        };
        known.push((read.tokens[0].key, Known { cluster, valence: valence.parse().unwrap() }));
    }
    fs::write(to, Words::build(bits, &paths, &known)).unwrap();
}

fn dump(words: &Words<'_>, shape: Shape) {
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let mut dump = Dump(Vec::new(), 0);
        features(&Text::read(&line.unwrap()), words, shape, &mut dump);
        out.write_all(&dump.1.to_le_bytes()).unwrap();
        out.write_all(&dump.0).unwrap();
    }
}
