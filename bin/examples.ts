/** What each command is used for, as its help shows it. A test types every one. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  '': [
    'ftps serve --config /etc/ftps/server.json',
    'ftps config check server.json',
    'ftps user add partner --file accounts.json',
    'ftps doctor ftps.example.com --user demo --password-file password.txt --passive-ports 50000-50015',
  ],
  serve: [
    'ftps serve --config /etc/ftps/server.json',
    'ftps serve --user demo --password-file password.txt --root ./files --admin-port 9990',
    'ftps serve --user demo --password-file password.txt --explicit-port 2122 --implicit-port 2991 --passive-ports 51000-51015',
  ],
  firewall: ['ftps firewall --config /etc/ftps/server.json', 'ftps firewall --config /etc/ftps/server.json --remove'],
  'config check': ['ftps config check /etc/ftps/server.json', 'ftps config check --json server.json | jq .problems'],
  'config schema': ['ftps config schema > server.schema.json'],
  'user add': [
    'ftps user add partner --prefix ftps/prod/ --kms-key alias/ftps-prod',
    'ftps user add partner --file accounts.json --generate --network 192.0.2.0/24',
    'ftps user add robot --file accounts.json --certificate-name robot.example.com --certificate-alone',
  ],
  'user passwd': ['ftps user passwd partner --prefix ftps/prod/', 'ftps user passwd partner --file accounts.json --generate'],
  'user disable': ['ftps user disable partner --prefix ftps/prod/'],
  'user enable': ['ftps user enable partner --prefix ftps/prod/'],
  'user remove': ['ftps user remove partner --prefix ftps/prod/'],
  'user list': ['ftps user list --prefix ftps/prod/', 'ftps user list --file accounts.json --json | jq -r .user'],
  'user import': [
    'ftps user import partners.csv --prefix ftps/prod/ --kms-key alias/ftps-prod',
    'ftps user import partners.json --file accounts.json --replace',
  ],
  'user try': ['ftps user try partner --config /etc/ftps/server.json'],
  'user hash': ['ftps user hash', 'ftps user hash < password.txt'],
  'audit verify': [
    'ftps audit verify /var/log/ftps',
    'aws s3 cp --recursive s3://BUCKET/raw/day=2026-05-01/ may-1/ && ftps audit verify --archive --part may-1/',
  ],
  'audit show': ['ftps audit show /var/log/ftps/audit.json', 'tail -f /var/log/ftps/audit.json | ftps audit show -'],
  'quarantine list': ['ftps quarantine list --config /etc/ftps/server.json', 'ftps quarantine list --config server.json --json | jq'],
  'quarantine show': ['ftps quarantine show ID --config /etc/ftps/server.json'],
  'quarantine release': ['ftps quarantine release ID --config /etc/ftps/server.json'],
  'quarantine delete': ['ftps quarantine delete ID --config /etc/ftps/server.json'],
  'certificate status': [
    'ftps certificate status --function ftps-prod-rotation',
    'ftps certificate status --function ftps-prod-rotation --json | jq .versions',
  ],
  'certificate rollback': ['ftps certificate rollback --function ftps-prod-rotation'],
  'certificate rotate': ['ftps certificate rotate --function ftps-prod-rotation'],
  doctor: [
    'ftps doctor ftps.example.com',
    'ftps doctor ftps.example.com --user demo --password-file password.txt --passive-ports 50000-50015',
    'ftps doctor localhost --explicit-port 2121 --implicit-port 2990 --ca .ftps/ca.pem --json',
  ],
  preflight: ['ftps preflight --environment prod', 'ftps preflight --environment staging --assembly cdk.out --json | jq .findings'],
  'key-policy': ['ftps key-policy', 'ftps key-policy --assembly cdk.out --account 111122223333 --region eu-central-1 > statements.json'],
  evidence: [
    'ftps evidence --environment prod --tests test-results.json',
    'ftps evidence --environment prod --tests test-results.json --output audit-2026 --json',
  ],
  completion: ['source <(ftps completion bash)', 'ftps completion zsh >> ~/.zshrc', 'ftps completion fish > ~/.config/fish/completions/ftps.fish'],
  'import transfer-family': [
    'ftps import transfer-family                                  # what is there, and what would become of it',
    'ftps import transfer-family --server s-0123456789abcdef0 --file accounts.json > passwords.csv',
  ],
};
