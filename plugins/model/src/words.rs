//! The word table: for a folded word its cluster (words that people use alike) and its feeling, in one probe.
//!
//! Made by `plugins/train` from public tables (see its README); read by the features. Open addressing over slots of four
//! bytes: a fingerprint of 16 bits, then ten bits of cluster (1023 is none) and six of feeling in tenths of eight (32 is none).

/// No cluster.
pub const NO_CLUSTER: u16 = 0x3FF;
/// Steps of feeling per unit of valence.
const STEPS: f32 = 8.0;

/// A word table on bytes: `u32` bits of the slot count, `u32` clusters, a path of three bytes and its length for each, slots.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    paths: &'a [u8],
    slots: &'a [u8],
    bits: u32,
}

/// What the table knows of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// The cluster, or [`NO_CLUSTER`].
    pub cluster: u16,
    /// -4.0 ..= 3.9; 0.0 is none.
    pub valence: f32,
}

/// Nothing.
pub const UNKNOWN: Known = Known { cluster: NO_CLUSTER, valence: 0.0 };

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl<'a> Words<'a> {
    /// A table that knows nothing.
    pub const NONE: Words<'static> = Words { paths: &[], slots: &[], bits: 0 };

    /// Lays the table over its bytes. A table that is cut short knows nothing.
    pub fn over(bytes: &'a [u8]) -> Self {
        let (bits, clusters) = (number(bytes, 0), number(bytes, 4) as usize);
        let slots = 8 + clusters * 4;
        match (bytes.get(8..slots), bytes.get(slots..)) {
            (Some(paths), Some(table)) if (1..=20).contains(&bits) && table.len() == 4 << bits => Self { paths, slots: table, bits },
            _ => Self { paths: &[], slots: &[], bits: 0 },
        }
    }

    /// What is known of a word, by its [`signalbox_sdk::text::key`].
    pub fn get(&self, key: u64) -> Known {
        if self.bits == 0 {
            return UNKNOWN;
        }
        let (mut slot, print) = place(key, self.bits);
        let mask = (1_usize << self.bits) - 1;
        loop {
            let entry = number(self.slots, slot * 4);
            if entry == 0 {
                return UNKNOWN;
            }
            if (entry >> 16) as u16 == print {
                return Known { cluster: (entry & 0x3FF) as u16, valence: (((entry >> 10) & 63) as f32 - 32.0) / STEPS };
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The cluster's place in the tree of clusters: up to 24 bits, first branch highest, and how many count.
    pub fn path(&self, cluster: u16) -> (u32, u32) {
        let entry = number(self.paths, usize::from(cluster) * 4);
        (entry & 0xFF_FFFF, entry >> 24)
    }

    /// Builds the bytes of a table: the paths of the clusters, then words by key. A key that is there keeps what it has.
    pub fn build(bits: u32, paths: &[(u32, u32)], words: &[(u64, Known)]) -> Vec<u8> {
        let mut table = vec![0_u32; 1 << bits];
        for (key, known) in words {
            let (mut slot, print) = place(*key, bits);
            while table[slot] != 0 && (table[slot] >> 16) as u16 != print {
                slot = (slot + 1) & ((1 << bits) - 1);
            }
            if table[slot] == 0 {
                let feeling = ((known.valence * STEPS).round() as i32 + 32).clamp(0, 63) as u32;
                table[slot] = u32::from(print) << 16 | feeling << 10 | u32::from(known.cluster);
            }
        }
        let mut bytes = [bits, paths.len() as u32].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        bytes.extend(paths.iter().flat_map(|(path, length)| (path | length << 24).to_le_bytes()));
        bytes.extend(table.iter().flat_map(|entry| entry.to_le_bytes()));
        bytes
    }
}

/// The first slot of a key, and its fingerprint, which is never 0.
fn place(key: u64, bits: u32) -> (usize, u16) {
    let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> (64 - bits)) as usize, ((mixed >> 20) as u16).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_sdk::text::key;

    #[test]
    fn a_table_answers_what_it_was_given() {
        let words: Vec<(u64, Known)> =
            (0..600_u16).map(|n| (key(&format!("word{n}")), Known { cluster: n, valence: f32::from(n % 60) / 8.0 - 3.5 })).collect();
        let bytes = Words::build(10, &[(0b1010, 4), (7, 3)], &words);
        let table = Words::over(&bytes);
        for (key, known) in &words {
            assert_eq!(table.get(*key), *known);
        }
        assert_eq!((table.get(key("nothing")), table.path(1)), (UNKNOWN, (7, 3)));
        assert_eq!(Words::over(&bytes[..100]).get(key("word1")), UNKNOWN);
    }
}
