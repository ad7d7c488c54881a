#!/bin/sh
# The program behind websocketd: each line is a message. It sends lines back,
# and ends at the line "quit", upon which websocketd closes the connection.
while IFS= read -r line; do
    [ "$line" = quit ] && exit 0
    printf '%s\n' "$line"
done
