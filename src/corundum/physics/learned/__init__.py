"""Laws learned from data: a law of known physics times a departure from it that data may determine."""
