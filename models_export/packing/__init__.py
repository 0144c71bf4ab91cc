"""From trained experts to a verified pack: manifest, card and parts."""
