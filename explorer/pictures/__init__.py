"""What comes in: hostile uploads made safe, sample photos, the drawn world."""
