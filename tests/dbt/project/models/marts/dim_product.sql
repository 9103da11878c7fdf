select * from {{ ref('stg_articles') }}
