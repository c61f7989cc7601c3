"""Training stages through TRL: supervised fine-tuning, distillation and GRPO, stopped and continued without a trace.

It gives the folders under ``checkpoints/`` and the logs under ``training/``. It never knows where its examples came
from or how a model is evaluated.
"""
