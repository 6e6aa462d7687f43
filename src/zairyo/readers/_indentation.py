"""What indentation instruments call their channels."""

from __future__ import annotations

from zairyo.readers._text_export import rules

#: Headings (whole, without their unit) → names of the vocabulary. The first that fits wins.
COLUMNS = rules(
    (r"time( on sample| in contact|[ _](s|sec))?|zeit", "time"),
    (r"displacement into surface|(indentation )?depth( \(?h\)?)?|indentation|disp|pd|penetration depth( pd)?|h|"
     r"eindringtiefe|押込み深さ", "depth"),
    (r"(raw )?displacement|_displacement", "raw_displacement"),
    (r"load on sample|force on surface|load|force|fn|normal (force|load)( fn)?|f|prüfkraft|荷重|試験力", "force"),
    (r"(raw |_)load", "raw_force"),
    (r"harmonic contact stiffness|(dynamic |contact )?stiffness( \(?s\)?)?", "contact_stiffness"),
    (r"contact depth( \(?hc\)?)?", "contact_depth"),
    (r"contact area( \(?a\)?)?", "contact_area"),
    (r"hardness|h_it channel|hit", "hardness"),
    (r"modulus|e_it channel|eit", "modulus"),
    (r"reduced modulus|er", "reduced_modulus"),
    (r"hmu?|martens hardness|universal hardness", "universal_hardness"),
    (r"harmonic displacement|disp(lacement)? amp(litude)?", "oscillation_amplitude"),
    (r"harmonic (load|force)|load amp(litude)?", "oscillation_force"),
    (r"phase angle|phase", "phase"),
    (r"(total)?lateral ?(force|load)|ft|frictional force( ft)?|x force", "lateral_force"),
    (r"loadcell", "load_cell_displacement"),
    (r"piezodisp|piezo( extension)?", "piezo_displacement"),
    (r"piezo_low", "piezo_voltage"),
    (r"(temp|temperature)( .*)?", "temperature"),
)  # fmt: skip
