"""The fusion of experts: words and pictures judged together. Trained, measured, and shipped only where it helps.

For the embedded pack it does not help enough to show. 1,250 religious memes of train and 177 of dev (half of them
hateful, noisy labels), one pooled token of the lines (text expert) and one of the picture
(nudity expert); AUC and macro-F1 on dev with 95% intervals over groups of near-duplicates, and macro-F1 by
cross-validation on train:

                                     AUC                   macro-F1              folds of train
text expert as served                0.571 [0.491, 0.661]  0.545 [0.462, 0.623]  0.601
lines alone                          0.601 [0.513, 0.683]  0.546 [0.463, 0.624]  0.616
picture alone                        0.624 [0.527, 0.717]  0.596 [0.521, 0.674]  0.540
fusion, ModDrop 0.25                 0.650 [0.560, 0.733]  0.597 [0.518, 0.671]  0.626
  judged without the lines           0.676 [0.588, 0.754]  0.605 [0.523, 0.679]
  judged without the picture         0.592 [0.506, 0.675]  0.570 [0.491, 0.649]
fusion without ModDrop               0.637 [0.553, 0.725]  0.589 [0.516, 0.667]  0.633
  judged without the lines           0.626 [0.533, 0.722]  0.557 [0.475, 0.639]
  judged without the picture         0.596 [0.510, 0.678]  0.582 [0.504, 0.661]

Over the lines alone, which train says are the best single modality, the fusion gains [-0.021, +0.127] of macro-F1 on
dev: 177 memes cannot show three points, and on the folds of train the gain is one. The picture's features come from an
expert for nudity, which knows nothing of religion. So the pack has no fusion, and every label is the highest of its
experts' scores. Image features that know more may change that; `measure` finds out.
"""
