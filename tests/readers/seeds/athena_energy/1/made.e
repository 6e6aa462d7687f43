# Athena data file -- Athena version 0.8.056
# Saving OTT3_55_spot0 as normalized mu(E)
# .  Element=As   Edge=K
# Background parameters
# .  E0=11866.000  Eshift=0.000  Rbkg=1.000
# .  Standard=0: None
# .  Kweight=2.0  Edge step=0.004
# .  Fixed step=no    Flatten=yes
# .  Pre-edge range: [ -97.934 : -28.385 ]
# .  Pre-edge line: 0.0068524 + -5.1098e-007 * E
# .  Normalization range: [ 45.901 : 302.157 ]
# .  Post-edge polynomial: 0.011539 + -5.5019e-007 * E + 0 * E^2
# .  Spline range: [ 0.000 : 301.924 ]   Clamps: None/Strong
# Foreward FT parameters
# .  Kweight=0.5   Window=hanning   Phase correction=no
# .  k-range: [ 2.000 : 6.902 ]   dk=1.00
# Backward FT parameters
# .  R-range: [ 1.000 : 3.000 ]
# .  dR=0.00   Window=hanning
# Plotting parameters
# .  Multiplier=1   Y-offset=0.000
# .
#------------------------
#  energy norm bkg_norm der_norm
  11766.697      -0.80039166E-02  -0.80037989E-02   0.61484012E-03
  11771.697      -0.49320333E-02  -0.49319157E-02   0.12085377E-02
  11776.697       0.40723503E-02   0.40724678E-02   0.17648519E-04
