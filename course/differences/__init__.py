"""What training changed: two models on the same text, the stages of one, and the noise between seeds."""
