"""The audio expert: a small head on the states of the recogniser's own encoder, fitted, measured, kept where it helps.

For the embedded pack it does not. On 1,300 clips of machines reading labelled English posts aloud (377 of dev; AUC and
macro-F1 of `abuse` with 95% intervals):

text expert on the transcript   0.716 [0.665, 0.766]  0.650 [0.602, 0.695]
the head alone                  0.528 [0.470, 0.588]  0.520 [0.472, 0.570]
stacked                         0.706 [0.654, 0.757]  0.668 [0.622, 0.714]
text expert on the true words   0.780 [0.733, 0.824]  0.697 [0.649, 0.742]

The gain in AUC is [-0.019, -0.001]. A machine reads abuse and praise alike, so this says nothing of tone: with labelled
speech of people, this is how to find out. See docs/audio-expert.md.
"""
