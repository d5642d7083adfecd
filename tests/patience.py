"""How long tests wait for what will come: far longer than it takes on the busiest machine."""

# Past it something hangs. The threads that hash passwords have the lowest priority: beside busy programs they take
# fifty times as long as alone.
HANG_SECONDS = 120
