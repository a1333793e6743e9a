"""Speed of the benchmark's parts, always as ratios against a frozen textbook form run in the same process."""
