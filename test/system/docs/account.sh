# What the AWS account holds before a reader comes: read by room.sh, with its variables and functions.
{
  aws kms create-key --query KeyMetadata.Arn --output text > kms-key
  # The stacks of an environment, as far as their outputs go: CDK writes a path before and a hash behind the names.
  deployed() { aws cloudformation create-stack --stack-name "$1" --template-body "{\"Resources\": {\"Topic\": {\"Type\": \"AWS::SNS::Topic\"}}, \"Outputs\": {$2}}"; }
  deployed ftps-staging-data "\"AccountsAccountsPrefix6555D48F\": {\"Value\": \"ftps/staging/accounts/\"}, \"AccountsAccountsKey21D9AC0A\": {\"Value\": \"$(cat kms-key)\"}, \"AddressesAllowList0A1B2C3D\": {\"Value\": \"203.0.113.7\"}"
  deployed ftps-staging "\"ServiceHostName6D1E8C0F\": {\"Value\": \"ftps.staging.example.com\"}, \"ServiceControlPorts90BF4EE1\": {\"Value\": \"21,990\"}, \"ServicePassivePorts7E1B9C5A\": {\"Value\": \"50000-50015\"}"
  aws s3 mb s3://audit-archive
  aws s3 cp /var/log/ftps/audit.json s3://audit-archive/raw/day=2026-05-01/audit.json
  aws athena create-work-group --name ftps-audit --configuration ResultConfiguration={OutputLocation=s3://audit-archive/results/}
  aws transfer create-server --protocols SFTP --query ServerId --output text > transfer-server
  aws transfer create-user --server-id "$(cat transfer-server)" --user-name ann --role arn:aws:iam::123456789012:role/transfer --home-directory /incoming/ann
  aws secretsmanager create-secret --name aws/transfer/s-0123456789abcdef0/bob --secret-string '{"Password":"a-good-pass-from-before","HomeDirectory":"/incoming/bob"}'

  # Two certificates, one after the other, as the rotation brought them.
  import() { aws acm import-certificate --certificate "fileb://$1.pem" --private-key "fileb://$1.key" --certificate-chain fileb://ca.pem --query CertificateArn --output text "${@:2}"; }
  import first > certificate-arn
  daemon rotation '^port' env METRIC_NAMESPACE=CdkFtps METRIC_SECRET=guides POWERTOOLS_LOG_LEVEL=SILENT MIN_DAYS_LEFT=1 NAMES=ftps.example.com \
    SECRET_ID="$(aws secretsmanager create-secret --name ftps/staging/certificate --secret-string generated --query ARN --output text)" \
    CERTIFICATE_ARN="$(cat certificate-arn)" node "$here/invoke.mjs" "$here/../../../dist/lambda/certificate-rotation/index.js"
  AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:$(sed -n 's/^port //p' rotation.log)
  export AWS_ENDPOINT_URL_LAMBDA
  ftps certificate rotate --function rotation
  import second --certificate-arn "$(cat certificate-arn)"
  ftps certificate rotate --function rotation
} > account.log 2>&1
