"""Transcripts read by someone who trusts nobody: the questions asked again, every answer proved."""
