#!/bin/sh
# Says in Markdown what a change of a description would do: copy this folder's files
# into the repository that holds your description.
#   preview.sh DESCRIPTION [GROUP TRACE]
# Ends with 1 where the description is not valid; nothing is changed anywhere.
set -eu
description=$1
scalerctl validate "$description" >&2

echo "## Plan"
echo
scalerctl plan "$description" --offline -o markdown

if [ $# -ge 3 ]; then
	echo
	echo "## Backtest of group $2"
	echo
	scalerctl backtest --trace "$3" --policy "$description#$2" --policy hpa60 ${BACKTEST_FLAGS:-} -o markdown
fi
