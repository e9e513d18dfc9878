//! Counts and sorts the words of a text with the standard library's strings, maps and sorting.
use std::collections::{BTreeMap, BTreeSet};

fn text(mut seed: u32) -> String {
    let words = ["provider", "Consumer", "ledger,", "block", "the", "a", "receipt.", "fuel", "and", "Of"];
    let mut text = String::new();
    for _ in 0..300 {
        seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
        text.push_str(words[(seed >> 16) as usize % words.len()]);
        if seed >> 29 == 0 {
            text.push_str(&(seed >> 20).to_string());
        }
        text.push(if seed >> 28 == 3 { '\n' } else { ' ' });
    }
    text
}

fn count(text: &str) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for word in text.split_ascii_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
        *counts.entry(word).or_insert(0) += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted
}

#[no_mangle]
pub extern "C" fn run(rounds: u32) -> u32 {
    let mut sum = 0u32;
    for round in 0..rounds {
        let text = text(round);
        let counted = count(&text);
        let letters: BTreeSet<char> = text.chars().collect();
        let top: Vec<String> = counted.iter().take(10).map(|(word, n)| format!("{word}: {n}")).collect();
        for byte in top.join("\n").bytes() {
            sum = sum.rotate_left(5) ^ byte as u32;
        }
        sum = sum.wrapping_add(letters.len() as u32);
    }
    sum
}
