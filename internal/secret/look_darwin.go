package secret

const mayAsk = true
