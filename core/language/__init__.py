"""A small language model and its whole life: pre-training, fine-tuning, prompting, continual learning, update."""
