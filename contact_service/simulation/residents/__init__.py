"""People behind the telephones: who answers, who presses what, who calls back, who pays."""
